import type { TextWindow, WindowedText } from '../../texts/encode-windows.ts';

/** A window of a text, and which row of a run it is. */
export interface WindowRow {
  readonly row: number;
  readonly window: TextWindow;
}

/** Knows, from encoding to decoding, which rows of a run are the windows of which instance: a long text has several. */
export class WindowRows<Instance extends object> {
  readonly #texts = new WeakMap<Instance, WindowedText>();

  /** The rows of all instances, in order. */
  keep(instances: readonly Instance[], texts: readonly WindowedText[]): readonly TextWindow[] {
    for (const [index, instance] of instances.entries()) {
      const text = texts[index];
      if (text !== undefined) this.#texts.set(instance, text);
    }
    return texts.flatMap(({ windows }) => windows);
  }

  /** The texts of instances that were encoded together, with the rows that theirs have become. */
  of(instances: readonly Instance[]): readonly { readonly text: WindowedText; readonly rows: readonly WindowRow[] }[] {
    let next = 0;
    return instances.map((instance) => {
      const text = this.#texts.get(instance) ?? noText;
      const rows = text.windows.map((window, index) => ({ window, row: next + index }));
      next += rows.length;
      return { text, rows };
    });
  }
}

const noText: WindowedText = {
  tokens: { ids: new Int32Array(0), count: 0 },
  windows: [],
  count: 0,
  isTruncated: false,
};

/** What can become of a text that is too long, the usual first. */
export const windowKinds = ['windows', 'error', 'truncate'] as const;
