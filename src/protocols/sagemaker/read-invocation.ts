import { AppError } from '../../errors.ts';
import type { Encode } from '../../serving/infer.ts';
import type { ServedModel } from '../../serving/served-model.ts';
import { quoteNames } from '../../tensor/malformed-tensor.ts';
import { isJsonList } from '../../tensor/sliced-json/long-list.ts';
import { JsonPieces } from '../../tensor/sliced-json/write-sliced-json.ts';
import type { Tensors } from '../../tensor/tensor.ts';
import type { SlicedWork } from '../../timing/sliced-work.ts';
import { inTurns } from '../../timing/turns.ts';
import { readExactJsonBody } from '../exact-json-parser.ts';
import { invalidBody } from '../invalid-body.ts';
import type { Invocation, InvocationReply, ReadOpenInference } from '../invocation.ts';
import { isJsonObject } from '../named-inputs.ts';
import { slicedColumns, slicedPredictions, tensorsFromInputs, tensorsFromInstances } from '../row-format.ts';
import { inOrder } from './column-order.ts';
import { frameFromCsv } from './csv-frame.ts';
import { type DataFrame, type FrameTarget, frameFromRecords, frameFromSplit, tensorsFromFrame } from './data-frame.ts';
import { FrameBounds } from './frame-bounds.ts';

export const bodyKeys = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;

export interface ReadInvocationOptions {
  readonly openInference: ReadOpenInference;
  /** Most bytes of one text. */
  readonly jsonLimitBytes: number;
  /** Most cells of a data frame. */
  readonly tableLimitCells: number;
}

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
export async function readInvocation(
  contentType: string,
  body: Uint8Array,
  options: ReadInvocationOptions,
): Promise<Invocation> {
  const { openInference, jsonLimitBytes } = options;
  const binary = binaryType.exec(contentType);
  if (binary !== null) {
    const jsonBytes = Number(binary[1]);
    if (jsonBytes > body.byteLength) {
      throw new AppError('MALFORMED_BODY', {
        message: `json-header-size is ${jsonBytes}, the body has ${body.byteLength} bytes`,
      });
    }
    const json = await readExactJsonBody(body.subarray(0, jsonBytes), jsonLimitBytes);
    return openInference(json, body.subarray(jsonBytes));
  }
  const [mediaType = ''] = contentType.toLowerCase().split(';');
  const type = mediaType.trim();
  if (type === 'text/csv') return frameInvocation((target) => frameFromCsv(body, contentType, target), options);
  if (!jsonTypes.includes(type) && !type.endsWith('+json')) {
    const expected = ['application/json', 'text/csv', 'application/vnd.sagemaker-triton.binary+json'];
    const message = `The route takes ${expected.join(', ')}; received ${contentType}`;
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', { message, received: contentType, expected });
  }
  return jsonInvocation(await readExactJsonBody(body, jsonLimitBytes), options);
}

function jsonInvocation(body: unknown, reading: ReadInvocationOptions): Invocation {
  if (!isJsonObject(body)) throw invalidBody(`The body must be an object with one of ${bodyKeys.join(', ')}`);
  if (isOpenInference(body)) return reading.openInference(body, new Uint8Array());

  const given = bodyKeys.filter((key) => Object.hasOwn(body, key) && body[key] !== null);
  const [key, ...others] = given;
  if (key === undefined || others.length > 0) {
    const received = quoteNames(Object.keys(body)) || 'nothing';
    throw invalidBody(`The body must have one of ${bodyKeys.join(', ')}; it has ${received}`);
  }
  const options = readParams(body);
  switch (key) {
    case 'dataframe_split':
      return frameInvocation((target) => frameFromSplit(body[key], target), reading, options);
    case 'dataframe_records':
      return frameInvocation((target) => frameFromRecords(body[key], target), reading, options);
    case 'instances':
      return byRow(({ signature }) => inTurns(tensorsFromInstances(body[key], signature)), options);
    case 'inputs':
      return {
        ...options,
        encode: ({ signature }) => inTurns(tensorsFromInputs(body[key], signature)),
        decode: (result) => reply(inTurns(slicedColumns(result, 'predictions'))),
      };
  }
}

/** `inputs` of the Open Inference Protocol is a list of described tensors, that of TensorFlow Serving has tensors alone. */
function isOpenInference({ inputs }: Readonly<Record<string, unknown>>): boolean {
  if (!isJsonList(inputs) || inputs.length === 0) return false;
  for (const input of inputs) if (!isJsonObject(input) || !('datatype' in input)) return false;
  return true;
}

/** @param read makes the frame when the model is known, so that it can be held against it */
function frameInvocation(
  read: (target: FrameTarget) => SlicedWork<DataFrame>,
  { tableLimitCells }: ReadInvocationOptions,
  options: Options = {},
): Invocation {
  const encode = function* (model: ServedModel): SlicedWork<Tensors> {
    const { signature } = model;
    const frame = yield* read({ signature, bounds: new FrameBounds(model, tableLimitCells) });
    return yield* tensorsFromFrame(inOrder(frame, model.face?.matrixColumns), signature);
  };
  return byRow((model) => inTurns(encode(model)), options);
}

function byRow(encode: Encode, options: Options): Invocation {
  return { ...options, encode, decode: (result) => reply(inTurns(slicedPredictions(result))) };
}

type Predictions = Readonly<Record<string, unknown>> | JsonPieces;

async function reply(written: Predictions | Promise<Predictions>): Promise<InvocationReply> {
  const answer = await written;
  const body = answer instanceof JsonPieces ? answer : Buffer.from(JSON.stringify(answer));
  return { mediaType: 'application/json', body };
}

type Options = Pick<Invocation, 'outputs'>;

/** `params` of MLflow and `parameters` of Vertex AI: the one that there is names the wanted outputs. A null is none. */
function readParams(body: Readonly<Record<string, unknown>>): Options {
  const params = paramKeys.flatMap((key) => (body[key] === undefined || body[key] === null ? [] : [body[key]]));
  const options: Options[] = params.map((given) => {
    const { outputs, ...unknown } = isJsonObject(given) ? given : { given };
    if (Object.keys(unknown).length > 0) throw invalidBody(`params may have outputs alone, a list of names of outputs`);
    if (outputs === undefined || outputs === null) return {};
    if (Array.isArray(outputs) && outputs.every((name) => typeof name === 'string')) return { outputs };
    throw invalidBody('params.outputs must be a list of names of outputs');
  });
  return Object.assign({}, ...options);
}
