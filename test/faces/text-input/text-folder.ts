import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Signature, Tensors } from '../../../src/tensor/tensor.ts';
import { type TemporaryFolder, temporaryFolder } from '../../helpers/folder.ts';
import { type TokenizerName, tokenizerPath } from '../../texts/fixture-tokenizers.ts';

export interface TextFiles {
  readonly tokenizer: TokenizerName;
  /** `config.json` */
  readonly config?: object;
  /** `tokenizer_config.json` */
  readonly tokenizerConfig?: object;
}

/** The files beside the graph of a model of texts. */
export async function textFolder({
  tokenizer,
  config = {},
  tokenizerConfig = {},
}: TextFiles): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  await copyFile(tokenizerPath(tokenizer), join(folder.path, 'tokenizer.json'));
  await writeFile(join(folder.path, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder.path, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig));
  return folder;
}

/** The tokens of a tokenizer by their ids. */
export async function vocabulary(name: TokenizerName): Promise<ReadonlyMap<number, string>> {
  const { model } = JSON.parse(await readFile(tokenizerPath(name), 'utf8'));
  const entries: readonly [string, number][] = Array.isArray(model.vocab)
    ? model.vocab.map(([token]: [string], id: number) => [token, id])
    : Object.entries(model.vocab);
  return new Map(entries.map(([token, id]) => [id, token]));
}

/** A model of texts. */
export function textSignature(outputs: Signature['outputs'], rows = -1): Signature {
  const inputs = ['input_ids', 'attention_mask', 'token_type_ids'] as const;
  return { inputs: inputs.map((name) => ({ name, datatype: 'INT64', shape: [rows, -1] })), outputs };
}

/** The ids that a model was given, row by row, with those of padding. */
export function rowsOf(inputs: Tensors): readonly (readonly number[])[] {
  const tensor = inputs['input_ids'];
  if (tensor?.datatype !== 'INT64') throw new Error('no ids');
  const [rows = 0, length = 0] = tensor.shape;
  return Array.from({ length: rows }, (_, row) =>
    Array.from(tensor.data.subarray(row * length, (row + 1) * length), Number),
  );
}
