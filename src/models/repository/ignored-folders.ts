import type { Log } from '../../timing/log.ts';

/** Says of each folder among the models that is none, once, so that a wrong name is found. */
export class IgnoredFolders {
  readonly #log: Pick<Log, 'info'>;
  #named: ReadonlySet<string> = new Set();

  constructor(log: Pick<Log, 'info'>) {
    this.#log = log;
  }

  /** @param names what is ignored now */
  report(names: readonly string[]): void {
    const added = names.filter((name) => !this.#named.has(name));
    this.#named = new Set(names);
    if (added.length === 0) return;
    this.#log.info(
      { folders: added },
      `No models, since they have neither model.json nor a .onnx file in them or in a version folder: ${added.join(', ')}`,
    );
  }
}
