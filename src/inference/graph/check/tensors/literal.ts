import { AppError } from '../../../../errors.ts';
import type { DataType } from '../../../../tensor/data-type.ts';
import { tensorFromNested } from '../../../../tensor/json/json-codec.ts';
import type { Tensor } from '../../../../tensor/tensor.ts';
import type { Literal } from '../../graph-definition.ts';
import type { Shape } from './tensor-form.ts';

/**
 * A literal of a graph as one row: the first dimension is 1. A single value fills a row of one element, whatever its rank.
 *
 * @param shape of what the row is for; empty when it is not known
 * @returns the reason as a text when the type cannot hold the literal as it is, or its lists are ragged
 */
export function literalRow(literal: Literal, datatype: DataType, shape: Shape): Tensor | string {
  const isBig = datatype === 'INT64' || datatype === 'UINT64';
  try {
    const element = tensorFromNested(isBig ? readDigits(literal) : literal, { name: '', datatype, shape: [] }, 'value');
    const row = { ...element, shape: [1, ...element.shape] };
    const isSingle = element.shape.length === 0;
    const holdsOne = shape.slice(1).every((size) => size === 1 || size === -1);
    return isSingle && holdsOne && shape.length > 0 ? { ...row, shape: shape.map(() => 1) } : row;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const advice = isBig ? '; beyond 2^53, its digits stand in a text' : '';
    return `${error.message.replace(/^Input "value": /, '')}${advice}`;
  }
}

/** Whole numbers beyond 2^53 stand as texts in JSON. */
function readDigits(literal: unknown): unknown {
  if (Array.isArray(literal)) return literal.map(readDigits);
  return typeof literal === 'string' && /^-?\d{1,20}$/.test(literal) ? BigInt(literal) : literal;
}
