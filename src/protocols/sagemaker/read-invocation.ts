import { AppError } from '../../errors.ts';
import { quoteNames } from '../../tensor/malformed-tensor.ts';
import type { Signature, Tensors } from '../../tensor/tensor.ts';
import { readExactJsonBody } from '../exact-json-parser.ts';
import type { Invocation, InvocationReply, ReadOpenInference } from '../invocation.ts';
import { isJsonObject } from '../named-inputs.ts';
import { columnsOfOutputs, predictionsOf, tensorsFromInputs, tensorsFromInstances } from '../row-format.ts';
import { frameFromCsv } from './csv-frame.ts';
import { type DataFrame, frameFromRecords, frameFromSplit, tensorsFromFrame } from './data-frame.ts';

export const bodyKeys = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;

const paramKeys = ['params', 'parameters'] as const;

const binaryType = /^application\/vnd\.sagemaker-triton\.binary\+json;\s*json-header-size=(\d{1,15})$/i;

/** Types that clients give to JSON; SageMaker's own gives none of them when its caller gives none. */
const jsonTypes = ['', 'application/json', 'application/octet-stream', 'application/x-www-form-urlencoded'];

/**
 * Reads a body by its media type, and JSON by its members: a data frame of MLflow, rows or columns of TensorFlow Serving
 * (and of Vertex AI), or a request of the Open Inference Protocol.
 *
 * @throws AppError `UNSUPPORTED_MEDIA_TYPE`, `MALFORMED_JSON`, `MALFORMED_BODY` or `VALIDATION_FAILED`
 */
export function readInvocation(contentType: string, body: Uint8Array, openInference: ReadOpenInference): Invocation {
  const binary = binaryType.exec(contentType);
  if (binary !== null) {
    const jsonBytes = Number(binary[1]);
    if (jsonBytes > body.byteLength) {
      throw new AppError('MALFORMED_BODY', {
        message: `json-header-size is ${jsonBytes}, the body has ${body.byteLength} bytes`,
      });
    }
    return openInference(readExactJsonBody(body.subarray(0, jsonBytes)), body.subarray(jsonBytes));
  }
  const [mediaType = ''] = contentType.toLowerCase().split(';');
  const type = mediaType.trim();
  if (type === 'text/csv') return frameInvocation(frameFromCsv(body, contentType), {});
  if (!jsonTypes.includes(type) && !type.endsWith('+json')) {
    const expected = ['application/json', 'text/csv', 'application/vnd.sagemaker-triton.binary+json'];
    const message = `The route takes ${expected.join(', ')}; received ${contentType}`;
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', { message, received: contentType, expected });
  }
  return jsonInvocation(readExactJsonBody(body), openInference);
}

function jsonInvocation(body: unknown, openInference: ReadOpenInference): Invocation {
  if (!isJsonObject(body)) throw refuse(`The body must be an object with one of ${bodyKeys.join(', ')}`);
  if (isOpenInference(body)) return openInference(body, new Uint8Array());

  const given = bodyKeys.filter((key) => Object.hasOwn(body, key));
  const [key, ...others] = given;
  if (key === undefined || others.length > 0) {
    const received = quoteNames(Object.keys(body)) || 'nothing';
    throw refuse(`The body must have one of ${bodyKeys.join(', ')}; it has ${received}`);
  }
  const options = readParams(body);
  switch (key) {
    case 'dataframe_split':
      return frameInvocation(frameFromSplit(body[key]), options);
    case 'dataframe_records':
      return frameInvocation(frameFromRecords(body[key]), options);
    case 'instances':
      return byRow((signature) => tensorsFromInstances(body[key], signature), options);
    case 'inputs':
      return {
        ...options,
        encode: ({ signature }) => tensorsFromInputs(body[key], signature),
        decode: (result) => predictions(columnsOfOutputs(result)),
      };
  }
}

/** `inputs` of the Open Inference Protocol is a list of described tensors, that of TensorFlow Serving has tensors alone. */
function isOpenInference({ inputs }: Readonly<Record<string, unknown>>): boolean {
  return (
    Array.isArray(inputs) && inputs.length > 0 && inputs.every((input) => isJsonObject(input) && 'datatype' in input)
  );
}

function frameInvocation(frame: DataFrame, options: Options): Invocation {
  return byRow((signature) => tensorsFromFrame(frame, signature), options);
}

function byRow(encode: (signature: Signature) => Tensors, options: Options): Invocation {
  return {
    ...options,
    encode: ({ signature }) => encode(signature),
    decode: (result) => predictions(predictionsOf(result)),
  };
}

function predictions(value: unknown): InvocationReply {
  return { mediaType: 'application/json', body: Buffer.from(JSON.stringify({ predictions: value })) };
}

type Options = Pick<Invocation, 'outputs'>;

/** `params` of MLflow and `parameters` of Vertex AI: the one that there is names the wanted outputs. */
function readParams(body: Readonly<Record<string, unknown>>): Options {
  const params = paramKeys.flatMap((key) => (body[key] === undefined ? [] : [body[key]]));
  const options: Options[] = params.map((given) => {
    const { outputs, ...unknown } = isJsonObject(given) ? given : { given };
    if (Object.keys(unknown).length > 0) throw refuse(`params may have outputs alone, a list of names of outputs`);
    if (outputs === undefined) return {};
    if (Array.isArray(outputs) && outputs.every((name) => typeof name === 'string')) return { outputs };
    throw refuse('params.outputs must be a list of names of outputs');
  });
  return Object.assign({}, ...options);
}

function refuse(message: string): AppError {
  return new AppError('VALIDATION_FAILED', {
    message,
    faults: [{ location: ['body'], type: 'invalid_value', message }],
  });
}
