import { float32, type Signature, type Tensor, type Tensors } from '../../src/tensor/tensor.ts';

/** Ids and mask of the rows of an input of tokens. */
export interface TokenRows {
  readonly rows: number;
  readonly length: number;
  id(row: number, at: number): number;
  isText(row: number, at: number): boolean;
}

export function tokenRows({ input_ids: ids, attention_mask: mask }: Tensors): TokenRows {
  const [rows = 0, length = 0] = ids?.shape ?? [];
  const elementOf = (tensor: Tensor | undefined, row: number, at: number) =>
    Number(tensor?.data[row * length + at] ?? 0);
  return {
    rows,
    length,
    id: (row, at) => elementOf(ids, row, at),
    isText: (row, at) => mask === undefined || elementOf(mask, row, at) === 1,
  };
}

const tokens = [-1, -1];

export function textSignature(outputs: Signature['outputs'], names = ['input_ids', 'attention_mask']): Signature {
  return { inputs: names.map((name) => ({ name, datatype: 'INT64', shape: tokens }) as const), outputs };
}

/** For each token its id, and 1. */
export function hiddenStates(inputs: Tensors): Tensors {
  const { rows, length, id } = tokenRows(inputs);
  const values = Array.from({ length: rows * length }, (_, at) => [id(Math.floor(at / length), at % length), 1]).flat();
  return { last_hidden_state: float32([rows, length, 2], values) };
}

/** For each text the sum of the ids of its tokens, a hundredth of it, as the last of so many scores. */
export function sumScores(inputs: Tensors, scores: number): Tensors {
  const { rows, length, id, isText } = tokenRows(inputs);
  const sum = (row: number) => {
    let total = 0;
    for (let at = 0; at < length; at++) if (isText(row, at)) total += id(row, at);
    return total / 100;
  };
  const values = Array.from({ length: rows }, (_, row) => [...new Array<number>(scores - 1).fill(0), sum(row)]).flat();
  return { logits: float32([rows, scores], values) };
}
