import { AppError, type Fault, mostFaults } from '../errors.ts';
import { readNestedTensor } from '../tensor/json/json-codec.ts';
import { quote, quoteNames } from '../tensor/malformed-tensor.ts';
import { isJsonList, type JsonList, LongList } from '../tensor/sliced-json/long-list.ts';
import type { Signature, Tensor, TensorSpec, Tensors } from '../tensor/tensor.ts';
import type { SlicedWork } from '../timing/sliced-work.ts';

type Location = Fault['location'];

/** An object of JSON, as opposed to a list, a text or nothing. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !isJsonList(value);
}

/**
 * The values of an input by row, where those of an input `[rows, 1]` may be bare: models of tables have such an input for
 * each column, and clients send a table's values as they are.
 */
export function listsOfOne(values: JsonList, { shape }: TensorSpec): JsonList {
  const isColumn = shape.length === 2 && shape[1] === 1;
  if (!isColumn) return values;
  const wrapped = (piece: readonly unknown[]) => piece.map((value) => (isJsonList(value) ? value : [value]));
  return values instanceof LongList ? new LongList(values.pieces.map(wrapped)) : wrapped(values);
}

/**
 * The inputs of a model from the members of a JSON object, each a tensor as nested lists under the name of its input.
 *
 * @param location where the request holds the object
 * @param prepare changes the value of an input before it is read. @default nothing is changed
 * @throws AppError with every fault at once: `SIGNATURE_MISMATCH` when inputs are missing or unknown, else
 *   `MALFORMED_TENSOR`
 */
export function* tensorsFromMembers(
  members: unknown,
  signature: Signature,
  location: Location,
  prepare: (value: unknown, spec: TensorSpec) => unknown = (value) => value,
): SlicedWork<Tensors> {
  const names = signature.inputs.map(({ name }) => name);
  if (!isJsonObject(members)) throw notAnObject(members, names, location);

  const tensors: [string, Tensor][] = [];
  const malformed: Fault[] = [];
  for (const spec of signature.inputs) {
    if (!Object.hasOwn(members, spec.name)) continue;
    try {
      const value = prepare(members[spec.name], spec);
      tensors.push([spec.name, yield* readNestedTensor(value, spec, spec.name)]);
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      malformed.push(...thrown.faults.map((fault) => ({ ...fault, location: [...location, ...fault.location] })));
    }
  }
  const given = Object.keys(members);
  if (malformed.length === 0 && tensors.length === names.length && given.length === names.length) {
    return Object.fromEntries(tensors);
  }
  const mismatches = nameFaults(given, signature, location);
  const faults = [...mismatches.faults, ...malformed];
  throw new AppError(mismatches.count > 0 ? 'SIGNATURE_MISMATCH' : 'MALFORMED_TENSOR', {
    message: faults.map((fault) => fault.message).join('; '),
    received: given.slice(0, mostFaults),
    expected: signature.inputs,
    faults,
    faultCount: mismatches.count + malformed.length,
  });
}

/**
 * Refuses names other than those of the inputs, before anything is made of what they name.
 *
 * @throws AppError `SIGNATURE_MISMATCH`
 */
export function checkNames(given: readonly string[], signature: Signature, location: Location): void {
  const { faults, count } = nameFaults(given, signature, location);
  if (count === 0) return;
  throw new AppError('SIGNATURE_MISMATCH', {
    message: faults.map((fault) => fault.message).join('; '),
    received: given.slice(0, mostFaults),
    expected: signature.inputs,
    faults,
    faultCount: count,
  });
}

/** Each fault repeats what the model takes, and a request may hold a million wrong names. */
function nameFaults(
  given: readonly string[],
  { inputs }: Signature,
  location: Location,
): { readonly faults: Fault[]; readonly count: number } {
  const names = new Set(given);
  const known = new Set(inputs.map(({ name }) => name));
  const missing = inputs.filter(({ name }) => !names.has(name));
  const unknown = given.filter((name) => !known.has(name));
  const faults = [
    ...missing.slice(0, mostFaults).map(({ name, datatype, shape }) => ({
      location: [...location, name],
      type: 'missing_input',
      message: `input ${JSON.stringify(name)} is missing; expected ${datatype} [${shape.join(',')}]`,
    })),
    ...unknown.slice(0, mostFaults).map((name) => ({
      location: [...location, name],
      type: 'unknown_input',
      message: `there is no input ${quote(name)}; the model takes ${quoteNames([...known])}`,
    })),
  ];
  return { faults, count: missing.length + unknown.length };
}

function notAnObject(received: unknown, names: readonly string[], location: Location): AppError {
  const message = `${location.join('.')}: expected an object with the inputs ${quoteNames(names)}`;
  const faults = [{ location, type: 'invalid_type', message }];
  return new AppError('SIGNATURE_MISMATCH', { message, received, expected: names, faults });
}
