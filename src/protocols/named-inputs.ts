import { AppError, type Fault } from '../errors.ts';
import { tensorFromNested } from '../tensor/json-codec.ts';
import type { Signature, Tensor, TensorSpec, Tensors } from '../tensor/tensor.ts';

type Location = Fault['location'];

/** An object of JSON, as opposed to a list, a text or nothing. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The values of an input by row, where those of an input `[rows, 1]` may be bare: models of tables have such an input for
 * each column, and clients send a table's values as they are.
 */
export function listsOfOne(values: readonly unknown[], { shape }: TensorSpec): unknown[] {
  const isColumn = shape.length === 2 && shape[1] === 1;
  return values.map((value) => (isColumn && !Array.isArray(value) ? [value] : value));
}

/**
 * The inputs of a model from the members of a JSON object, each a tensor as nested lists under the name of its input.
 *
 * @param location where the request holds the object
 * @throws AppError with every fault at once: `SIGNATURE_MISMATCH` when inputs are missing or unknown, else
 *   `MALFORMED_TENSOR`
 */
export function tensorsFromMembers(members: unknown, signature: Signature, location: Location): Tensors {
  const names = signature.inputs.map(({ name }) => name);
  if (!isJsonObject(members)) throw notAnObject(members, names, location);

  const tensors: [string, Tensor][] = [];
  const malformed: Fault[] = [];
  for (const spec of signature.inputs) {
    if (!Object.hasOwn(members, spec.name)) continue;
    try {
      tensors.push([spec.name, tensorFromNested(members[spec.name], spec, spec.name)]);
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      malformed.push(...thrown.faults.map((fault) => ({ ...fault, location: [...location, ...fault.location] })));
    }
  }
  const mismatches = nameFaults(Object.keys(members), signature, location);
  const faults = [...mismatches, ...malformed];
  if (faults.length === 0) return Object.fromEntries(tensors);
  throw new AppError(mismatches.length > 0 ? 'SIGNATURE_MISMATCH' : 'MALFORMED_TENSOR', {
    message: faults.map((fault) => fault.message).join('; '),
    received: Object.keys(members),
    expected: signature.inputs,
    faults,
  });
}

/** Each fault repeats what the model takes, and a request may hold a million wrong names. */
const mostUnknown = 100;

function nameFaults(given: readonly string[], { inputs }: Signature, location: Location): Fault[] {
  const missing = inputs.filter(({ name }) => !given.includes(name));
  const unknown = given.filter((name) => !inputs.some((input) => input.name === name)).slice(0, mostUnknown);
  const known = () => quoteNames(inputs.map(({ name }) => name));
  return [
    ...missing.map(({ name, datatype, shape }) => ({
      location: [...location, name],
      type: 'missing_input',
      message: `input ${JSON.stringify(name)} is missing; expected ${datatype} [${shape.join(',')}]`,
    })),
    ...unknown.map((name) => ({
      location: [...location, name],
      type: 'unknown_input',
      message: `there is no input ${JSON.stringify(name)}; the model takes ${known()}`,
    })),
  ];
}

function notAnObject(received: unknown, names: readonly string[], location: Location): AppError {
  const message = `${location.join('.')}: expected an object with the inputs ${quoteNames(names)}`;
  const faults = [{ location, type: 'invalid_type', message }];
  return new AppError('SIGNATURE_MISMATCH', { message, received, expected: names, faults });
}

function quoteNames(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}
