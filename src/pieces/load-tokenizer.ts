import type { LoadTokenizer } from './tokenizer.ts';

/** What loads tokenizers into one process; nothing of it is loaded before the first. */
export function createTokenizers(): LoadTokenizer {
  let opening: Promise<LoadTokenizer> | undefined;
  return async (folder, options) => {
    opening ??= import('./open-tokenizer.ts').then(({ tokenizerLoader }) => tokenizerLoader());
    return (await opening)(folder, options);
  };
}
