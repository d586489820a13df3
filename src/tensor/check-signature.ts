import { AppError, type Fault, mostFaults } from '../errors.ts';
import { quote, quoteNames } from './malformed-tensor.ts';
import { elementCount, type Signature, type Tensor, type TensorSpec, type Tensors, unservableText } from './tensor.ts';

/**
 * Checks that the tensors are what the model takes. ONNX Runtime would ignore unknown inputs silently, and cut a text
 * at its first NUL, so both are refused here.
 *
 * A spec with an empty shape accepts any rank: ONNX Runtime reports a scalar and an unknown rank alike.
 *
 * @throws AppError `SIGNATURE_MISMATCH` with every fault when names, data types or shapes do not fit;
 * `MALFORMED_TENSOR` when a tensor does not hold as many elements as its shape says, or a text holds a NUL
 */
export function checkSignature(signature: Signature, tensors: Tensors): void {
  const { inputs } = signature;
  let fitting = 0;
  for (const spec of inputs) {
    const tensor = Object.hasOwn(tensors, spec.name) ? tensors[spec.name] : undefined;
    if (tensor !== undefined && fits(spec, tensor)) fitting += 1;
  }
  if (fitting !== inputs.length || Object.keys(tensors).length !== inputs.length) throw mismatch(signature, tensors);
  for (const spec of inputs) {
    const tensor = tensors[spec.name];
    if (tensor !== undefined) checkContent(spec.name, tensor);
  }
}

/**
 * Refuses names that are far from those of the model, so that no tensor is made of any of them. A few wrong names are left
 * to {@link checkSignature}, which names the other faults with them.
 *
 * @throws AppError `SIGNATURE_MISMATCH` with the first hundred
 */
export function checkInputNames(signature: Signature, names: readonly string[]): void {
  if (names.length <= signature.inputs.length + mostFaults) return;
  const known = new Set(signature.inputs.map((spec) => spec.name));
  const takes = quoteNames([...known]);
  const unknown = names.filter((name) => !known.has(name));
  const faults = unknown.slice(0, mostFaults).map((name) => ({
    location: ['inputs', name],
    type: 'unknown_input',
    message: `there is no input ${quote(name)}; the model takes ${takes}`,
  }));
  throw signatureMismatch(faults, unknown.slice(0, mostFaults), signature.inputs, unknown.length);
}

/**
 * Checks that every wanted output is one that the model gives, and is asked for once: one that came as often as it is
 * asked for would make a small request one for any number of bytes.
 *
 * @throws AppError `SIGNATURE_MISMATCH` that lists the outputs there are
 */
export function checkOutputs(signature: Signature, wanted: readonly string[]): void {
  const known = signature.outputs.map((output) => output.name);
  const served = new Set(known);
  const unknown = wanted.filter((name) => !served.has(name));
  const names = new Set(wanted);
  if (unknown.length === 0 && names.size === wanted.length) return;
  if (unknown.length === 0) throw askedTwice(wanted, names);
  const faults = unknown.slice(0, mostFaults).map((name) => {
    const unservable = signature.unservable?.find(({ output }) => output === name);
    const why = unservable === undefined ? '' : `; ${unservableText(unservable)}`;
    return {
      location: ['outputs', name],
      type: unservable === undefined ? 'unknown_output' : 'unservable_output',
      message: `the model has no output ${quote(name)} that can be served; it gives ${quoteNames(known)}${why}`,
    };
  });
  throw signatureMismatch(faults, unknown.slice(0, mostFaults), known, unknown.length);
}

function askedTwice(wanted: readonly string[], names: Set<string>): AppError {
  // The first that is met for the second time.
  const twice = wanted.find((name) => !names.delete(name)) ?? '';
  const message = `output ${quote(twice)} is asked for twice`;
  const fault = { location: ['outputs', twice], type: 'repeated_output', message };
  return signatureMismatch([fault], wanted.slice(0, mostFaults), undefined);
}

/** A shape as people write it: `[-1,4]`, or `[batch,4]`. */
export function shapeText(shape: readonly (number | string)[]): string {
  return `[${shape.join(',')}]`;
}

function fits(spec: TensorSpec, tensor: Tensor): boolean {
  return tensor.datatype === spec.datatype && shapeFits(spec.shape, tensor.shape);
}

function shapeFits(expected: readonly number[], received: readonly number[]): boolean {
  if (expected.length === 0) return true;
  if (expected.length !== received.length) return false;
  for (let i = 0; i < expected.length; i += 1) {
    if (expected[i] !== -1 && expected[i] !== received[i]) return false;
  }
  return true;
}

function checkContent(name: string, tensor: Tensor): void {
  const expected = elementCount(tensor.shape);
  if (tensor.data.length !== expected) {
    throw malformed(name, {
      message: `input ${quote(name)} holds ${tensor.data.length} elements, its shape ${shapeText(tensor.shape)} says ${expected}`,
      received: tensor.data.length,
      expected,
    });
  }
  if (tensor.datatype !== 'BYTES') return;
  for (const text of tensor.data) {
    if (text.includes('\0'))
      throw malformed(name, { message: `input ${quote(name)} holds a text with a NUL character` });
  }
}

function malformed(name: string, error: { message: string; received?: unknown; expected?: unknown }): AppError {
  const fault = { location: ['inputs', name], type: 'malformed_tensor', message: error.message };
  return new AppError('MALFORMED_TENSOR', { ...error, faults: [fault] });
}

function mismatch(signature: Signature, tensors: Tensors): AppError {
  const faults: Fault[] = [];
  const fault = (name: string, type: string, message: string) => {
    faults.push({ location: ['inputs', name], type, message });
  };
  for (const spec of signature.inputs) {
    const tensor = Object.hasOwn(tensors, spec.name) ? tensors[spec.name] : undefined;
    if (tensor === undefined) {
      fault(spec.name, 'missing_input', `input ${quote(spec.name)} is missing; expected ${specText(spec)}`);
    } else if (tensor.datatype !== spec.datatype) {
      const message = `input ${quote(spec.name)} is of type ${tensor.datatype}; expected ${specText(spec)}`;
      fault(spec.name, 'wrong_datatype', message);
    } else if (!shapeFits(spec.shape, tensor.shape)) {
      const message = `input ${quote(spec.name)} has shape ${shapeText(tensor.shape)}; expected ${shapeText(spec.dimensions ?? spec.shape)}`;
      fault(spec.name, 'wrong_shape', message);
    }
  }
  const known = new Set(signature.inputs.map((spec) => spec.name));
  const unknown = Object.keys(tensors).filter((name) => !known.has(name));
  const faultCount = faults.length + unknown.length;
  const takes = quoteNames([...known]);
  for (const name of unknown.slice(0, mostFaults)) {
    fault(name, 'unknown_input', `there is no input ${quote(name)}; the model takes ${takes}`);
  }
  return signatureMismatch(faults, describe(tensors), signature.inputs, faultCount);
}

function signatureMismatch(
  faults: readonly Fault[],
  received: unknown,
  expected: unknown,
  faultCount = faults.length,
): AppError {
  const message = faults.map((fault) => fault.message).join('; ');
  return new AppError('SIGNATURE_MISMATCH', { message, received, expected, faults, faultCount });
}

function describe(tensors: Tensors): TensorSpec[] {
  return Object.entries(tensors)
    .slice(0, mostFaults)
    .map(([name, { datatype, shape }]) => ({ name, datatype, shape }));
}

function specText({ datatype, shape, dimensions }: TensorSpec): string {
  return `${datatype} ${shapeText(dimensions ?? shape)}`;
}
