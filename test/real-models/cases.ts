import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { randomNumbers } from '../../src/tensor/random-numbers.ts';
import { elementCount, float32, int32, int64, type Tensor, type Tensors, text } from '../../src/tensor/tensor.ts';

const inputSchema = z.object({
  name: z.string(),
  datatype: z.enum(['FP32', 'INT64', 'INT32', 'BYTES']),
  shape: z.array(z.union([z.int(), z.literal('rows')])),
  low: z.number().default(0),
  high: z.number().default(1),
  texts: z.array(z.string()).default([]),
});

const caseSchema = z.object({
  inputs: z.array(inputSchema),
  /** Whether its rows are independent; null: both would be right, for want of a proof. */
  joined: z.boolean().nullable(),
});

export type Case = z.output<typeof caseSchema>;

/** The models of a folder that `make_models.py` has made, by name. */
export function readCases(folder: string): Readonly<Record<string, Case>> {
  return z.record(z.string(), caseSchema).parse(JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')));
}

/** A request of so many rows, which differ, and differ from those of other seeds. */
export function requestOf({ inputs }: Case, rows: number, seed: number): Tensors {
  const random = randomNumbers(seed);
  return Object.fromEntries(inputs.map((input) => [input.name, tensorOf(input, rows, random)]));
}

function tensorOf(input: Case['inputs'][number], rows: number, random: () => number): Tensor {
  const { datatype, low, high, texts } = input;
  const shape = input.shape.map((size) => (size === 'rows' ? rows : size));
  const length = elementCount(shape);
  const whole = () => Array.from({ length }, () => low + Math.floor(random() * (high - low + 1)));
  switch (datatype) {
    case 'FP32':
      return float32(
        shape,
        Array.from({ length }, () => low + random() * (high - low)),
      );
    case 'INT64':
      return int64(shape, whole());
    case 'INT32':
      return int32(shape, whole());
    case 'BYTES': {
      const words = () =>
        Array.from({ length: 1 + Math.floor(4 * random()) }, () => texts[Math.floor(random() * texts.length)]);
      return text(
        shape,
        Array.from({ length }, () => (texts.length > 0 ? words().join(' ') : '')),
      );
    }
  }
}
