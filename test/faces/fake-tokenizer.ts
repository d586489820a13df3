import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TextAnswer, TextMessage, TextTokens } from '../../src/texts/messages.ts';

export const [cls, sep] = [1, 2];

/** The id of a word: its length, and 10 more. */
export function idOf(word: string): number {
  return 10 + word.length;
}

/** A text process that takes words for tokens, between `[CLS]` (1) and `[SEP]` (2). */
export function startFakeTokenizer(): ChildProcess {
  const child = Object.assign(new EventEmitter(), {
    connected: true,
    pid: 1,
    kill: () => {
      queueMicrotask(() => child.emit('exit', null, 'SIGKILL'));
      return true;
    },
    send: (message: TextMessage) => {
      if (message.kind !== 'unload') queueMicrotask(() => child.emit('message', answer(message)));
      return true;
    },
  });
  return child as unknown as ChildProcess;
}

function answer(message: Exclude<TextMessage, { kind: 'unload' }>): TextAnswer {
  const { request } = message;
  if (message.kind === 'load') {
    const template = {
      single: [[cls], [sep]] as const,
      singleTypes: undefined,
      pair: [[cls], [sep], [sep]] as const,
      pairTypes: { before: [0], first: 0, between: [0], second: 1, after: [1] },
    };
    return {
      kind: 'loaded',
      request,
      facts: { template, sha256: '', ids: { '[PAD]': 0 }, unknownId: undefined, marksSubwords: false },
    };
  }
  const { texts, keep } = message;
  return {
    kind: 'encoded',
    request,
    texts: texts.map((text): TextTokens => {
      const ids = text
        .split(' ')
        .filter((word) => word !== '')
        .map(idOf);
      const kept = keep.side === 'right' ? ids.slice(0, keep.tokens) : ids.slice(Math.max(0, ids.length - keep.tokens));
      return { ids: Int32Array.from(kept), count: ids.length };
    }),
  };
}

/** Writes files of JSON beside a graph. */
export async function writeCompanions(folder: string, files: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content instanceof Uint8Array ? content : JSON.stringify(content));
  }
}
