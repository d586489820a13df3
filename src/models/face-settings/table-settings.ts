import { z } from 'zod';

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const column = z.strictObject({
  name: z.string().min(1).max(256).describe('What clients call it'),
  from: z
    .string()
    .exactOptional()
    .describe('Input of the model; unset: the one of that name, or the next of the matrix'),
  type: z
    .enum(['number', 'integer', 'string', 'boolean'])
    .exactOptional()
    .describe('What clients send; unset: what the data type of the input says'),
  min: z.number().exactOptional(),
  max: z.number().exactOptional(),
  values: z.array(scalar).min(1).max(1000).exactOptional().describe('The only values there are'),
  default: scalar.exactOptional().describe('Stands for a value that is missing or null'),
  missing: z.literal('nan').exactOptional().describe('A number that is missing or null becomes NaN'),
  description: z.string().exactOptional(),
});

/** What `model.json` says of a face that takes records. */
export const tableSettings = z.strictObject({
  kind: z.literal('table').describe('Records of named columns; one result for each'),
  input: z.string().exactOptional().describe('The matrix, where the model takes one'),
  columns: z
    .array(column)
    .min(1)
    .max(10_000)
    .exactOptional()
    .describe('The columns of the matrix in order; where each input is a column, those of which more is to be said'),
  function: z
    .enum(['softmax', 'sigmoid', 'none'])
    .exactOptional()
    .describe('From the output with labels to probabilities; unset: it has them, and they sum up to 1'),
  target: z.string().exactOptional().describe('Name of what is predicted, for the documentation'),
  template: z.record(z.string(), scalar.nullable()).exactOptional().describe('The example of the documentation'),
});

export type TableSettings = z.output<typeof tableSettings>;
export type ColumnSettings = z.output<typeof column>;
