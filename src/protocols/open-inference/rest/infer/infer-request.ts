import { AppError } from '../../../../errors.ts';
import { quote } from '../../../../tensor/malformed-tensor.ts';
import {
  readList,
  readObject,
  readOptionalBoolean,
  readOptionalString,
  readOptionalWhole,
  readString,
  refuseField,
} from '../fields.ts';
import { readParameters, readRequestParameters, refuseSharedMemory } from '../parameters.ts';

/** An input as the JSON of a request describes it; its elements stand there too, or in the binary part of the body. */
export type RequestInput = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
} & ({ readonly data: unknown } | { readonly byteSize: number });

/** An output that a request asks for. */
export interface RequestedOutput {
  readonly name: string;
  readonly binary: boolean;
  /** So many of the best classes instead of the tensor. */
  readonly top: number | undefined;
}

/** The JSON of an inference request, checked but for the elements of its tensors. */
export interface InferenceRequest {
  readonly id: string | undefined;
  readonly inputs: readonly RequestInput[];
  /** In the order of the request; undefined for all there are. */
  readonly outputs: readonly RequestedOutput[] | undefined;
  /** Whether outputs that were not asked for by name are binary. */
  readonly binaryOutputs: boolean;
  readonly timeoutMs: number | undefined;
  readonly priority: number | undefined;
}

/**
 * Reads the JSON of an inference request. Members that the protocol does not know are ignored, for clients send some.
 *
 * @param body parsed by `parseJson`
 * @see https://github.com/kserve/open-inference-protocol (Inference Request JSON Object)
 * @throws AppError `MALFORMED_BODY` that names the member
 */
export function readInferenceRequest(body: unknown): InferenceRequest {
  const { id, parameters, inputs, outputs } = readObject(body, 'the request');
  const { binaryOutputs, timeoutMs, priority } = readRequestParameters(parameters);
  const requested = readTensorList(outputs ?? [], 'outputs');
  return {
    id: readOptionalString(id, 'id'),
    inputs: distinct(readTensorList(inputs, 'inputs').map(readInput), 'inputs'),
    outputs:
      requested.length === 0
        ? undefined
        : distinct(
            requested.map((output, index) => readOutput(output, index, binaryOutputs)),
            'outputs',
          ),
    binaryOutputs,
    timeoutMs,
    priority,
  };
}

/** More inputs or outputs than any model has. */
const mostTensors = 10_000;

function readTensorList(value: unknown, path: string): readonly unknown[] {
  const list = readList(value, path);
  if (list.length <= mostTensors) return list;
  const message = `${path}: expected at most ${mostTensors} tensors, received ${list.length}`;
  throw new AppError('MALFORMED_BODY', { message, received: list.length, expected: mostTensors });
}

function readInput(value: unknown, index: number): RequestInput {
  const path = `inputs[${index}]`;
  const { name, datatype, shape, data: json, parameters: given } = readObject(value, path);
  const parameters = readParameters(given, `${path}.parameters`);
  refuseSharedMemory(parameters, path);
  const header = {
    name: readString(name, `${path}.name`),
    datatype: readString(datatype, `${path}.datatype`),
    shape: readShape(shape, `${path}.shape`),
  };
  const byteSize = readOptionalWhole(parameters['binary_data_size'], `${path}.parameters.binary_data_size`);
  // KServe's client gives a null beside the size of an empty tensor.
  const data = json === null && byteSize !== undefined ? undefined : json;
  if ((data === undefined) === (byteSize === undefined)) {
    const received = data === undefined ? 'neither' : 'data and parameters.binary_data_size';
    const message = `${path} (${quote(header.name)}): expected either data or parameters.binary_data_size, received ${received}`;
    throw new AppError('MALFORMED_BODY', { message, received, expected: 'data or parameters.binary_data_size' });
  }
  return byteSize === undefined ? { ...header, data } : { ...header, byteSize };
}

function readOutput(value: unknown, index: number, binaryOutputs: boolean): RequestedOutput {
  const path = `outputs[${index}]`;
  const { name, parameters: given } = readObject(value, path);
  const parameters = readParameters(given, `${path}.parameters`);
  refuseSharedMemory(parameters, path);
  return {
    name: readString(name, `${path}.name`),
    binary: readOptionalBoolean(parameters['binary_data'], `${path}.parameters.binary_data`) ?? binaryOutputs,
    top: readOptionalWhole(parameters['classification'], `${path}.parameters.classification`, 1),
  };
}

/** The dimensions; whether each is a size that a tensor can have is checked where tensors are read. */
function readShape(value: unknown, path: string): number[] {
  return readList(value, path).map((dimension, axis) => {
    if (typeof dimension === 'number') return dimension;
    throw refuseField(`${path}[${axis}]`, dimension, 'a whole number');
  });
}

function distinct<T extends { readonly name: string }>(list: readonly T[], path: string): readonly T[] {
  const names = new Set<string>();
  for (const { name } of list) {
    if (names.has(name)) {
      const message = `${path}: expected each name once, received ${quote(name)} twice`;
      throw new AppError('MALFORMED_BODY', { message, received: name });
    }
    names.add(name);
  }
  return list;
}
