import { type Signature, type Tensor, zeros } from '../tensor/tensor.ts';
import type { ReadRequest } from './request-reader.ts';

/**
 * The outputs of a request without rows to a model of independent rows: they have none either. Undefined when it has
 * rows, or when only a run can tell the other dimensions of an output.
 */
export function answerNoRows(
  { outputs: specs }: Signature,
  { inputs, outputs }: Pick<ReadRequest, 'inputs' | 'outputs'>,
): Tensor[] | undefined {
  if (inputs.length === 0 || inputs.some(({ shape }) => shape[0] !== 0)) return undefined;
  const answer: Tensor[] = [];
  for (const index of outputs) {
    const spec = specs[index];
    if (spec === undefined || spec.shape.length === 0 || spec.shape.includes(-1, 1)) return undefined;
    answer.push(zeros(spec.datatype, [0, ...spec.shape.slice(1)]));
  }
  return answer;
}
