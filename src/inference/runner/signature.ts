import { AppError } from '../../errors.ts';
import type { Signature, TensorSpec } from '../../tensor/tensor.ts';
import { datatypeOf, type ModelDescription, type ValueDescription } from './messages.ts';

export interface ServableSignature {
  readonly signature: Signature;
  /** Where each output of the signature stands among all outputs of the model. */
  readonly outputIndexes: readonly number[];
  /** Outputs that cannot be served: sequences, maps, types without a JavaScript form. */
  readonly unservable: readonly string[];
}

/**
 * The signature of a model from ONNX Runtime's description.
 *
 * @throws AppError `MODEL_LOAD_FAILED` when an input, or every output, is of a type that cannot be served
 */
export function servableSignature(model: ModelDescription): ServableSignature {
  const inputs = model.inputs.map((input) => {
    const spec = tensorSpec(input);
    if (spec === undefined) throw loadFailed(`its input ${JSON.stringify(input.name)} is ${typeText(input)}`);
    return spec;
  });
  const outputs: TensorSpec[] = [];
  const outputIndexes: number[] = [];
  const unservable: string[] = [];
  for (const [index, output] of model.outputs.entries()) {
    const spec = tensorSpec(output);
    if (spec === undefined) {
      unservable.push(output.name);
    } else {
      outputs.push(spec);
      outputIndexes.push(index);
    }
  }
  if (outputs.length === 0) {
    throw loadFailed(`none of its outputs is a tensor that can be served (${unservable.join(', ')})`);
  }
  return { signature: { inputs, outputs }, outputIndexes, unservable };
}

function tensorSpec(value: ValueDescription): TensorSpec | undefined {
  const datatype = value.isTensor ? datatypeOf[value.type] : undefined;
  if (!value.isTensor || datatype === undefined) return undefined;
  const dimensions = value.shape.map((dimension) => (dimension === '' ? -1 : dimension));
  const shape = dimensions.map((dimension) => (typeof dimension === 'number' ? dimension : -1));
  const isNamed = dimensions.some((dimension) => typeof dimension === 'string');
  return { name: value.name, datatype, shape, ...(isNamed && { dimensions }) };
}

function typeText(value: ValueDescription): string {
  return value.isTensor ? `of type ${value.type}, which cannot be served` : 'no tensor';
}

function loadFailed(message: string): AppError {
  return new AppError('MODEL_LOAD_FAILED', { message: `The model cannot be served: ${message}` });
}
