import { AppError } from '../../../errors.ts';
import type { InferParameter } from '../../../open-inference-messages/messages/infer.ts';

/**
 * A parameter that is a whole number from 0; undefined when it is absent.
 *
 * @throws AppError `MALFORMED_BODY`
 */
export function wholeParameter(parameters: ReadonlyMap<string, InferParameter>, name: string): number | undefined {
  const parameter = parameters.get(name);
  if (parameter === undefined) return undefined;
  const value = parameter.int64 ?? parameter.uint64;
  if (value !== undefined && value >= 0n) return Number(value);
  const message = `The parameter ${name} is ${value ?? 'not a whole number'}, expected a whole number from 0`;
  throw new AppError('MALFORMED_BODY', { message, received: value, expected: 'a whole number from 0' });
}
