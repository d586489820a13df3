import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A tensor as it goes over the wire in binary. */
export interface WireTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** The elements, as in the binary part of an Open Inference body. */
  readonly base64: string;
}

/** An input of a type that the Open Inference Protocol does not have. */
export interface UnknownInput {
  readonly name: string;
  readonly datatype: null;
}

/** A test of one ONNX node: a model, and what it is given. */
export interface Case {
  readonly name: string;
  readonly modelPath: string;
  readonly inputs: readonly (WireTensor | UnknownInput)[];
}

/** Reads a case that `make_cases.py` wrote. */
export function readCase(folder: string, name: string): Case {
  const { inputs } = JSON.parse(readFileSync(path.join(folder, name, 'case.json'), 'utf8'));
  return { name, inputs, modelPath: path.join(folder, name, 'model.onnx') };
}

/** The inputs, or undefined when one of them cannot be sent. */
export function wireInputs({ inputs }: Case): readonly WireTensor[] | undefined {
  const known = inputs.filter((input): input is WireTensor => input.datatype !== null);
  return known.length === inputs.length ? known : undefined;
}
