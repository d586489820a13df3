// The tokens of texts, as faces make them: encode.ts <tokenizer.json> <texts.json> <tokens.jsonl>
import { readFile, writeFile } from 'node:fs/promises';
import { encodeWindows } from '../../../src/texts/encode-windows.ts';
import { TextEncoder } from '../../../src/texts/text-encoder.ts';
import { TextProcess } from '../../../src/texts/text-process.ts';

const textsAtOnce = 1000;
const [tokenizer = '', textsPath = '', tokensPath = ''] = process.argv.slice(2);
const texts: readonly string[] = JSON.parse(await readFile(textsPath, 'utf8'));
const textProcess = new TextProcess({ log: { warn: () => {} } });
const encoder = new TextEncoder(textProcess, await textProcess.load(tokenizer), {
  maxLength: 1_000_000,
  truncationSide: 'right',
  paddingSide: 'right',
  padId: 0,
});
const lines: string[] = [];
for (let from = 0; from < texts.length; from += textsAtOnce) {
  const some = texts.slice(from, from + textsAtOnce);
  const encoded = await encodeWindows(encoder, some, { tooLong: 'error', stride: 0, locate: (index) => [index] });
  for (const { tokens, windows } of encoded) {
    const ids = windows.flatMap((window) => [...window.ids]);
    lines.push(JSON.stringify({ ids, offsets: [...(tokens.offsets ?? [])] }));
  }
}
await writeFile(tokensPath, lines.join('\n'));
await textProcess.close();
