import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { predictionErrorCodes } from '../../../http/answer/problem.ts';
import { addVary } from '../../../http/answer/vary.ts';
import { releaseMemory } from '../../../http/body/release-memory.ts';
import { predictTensors } from '../../../http/prediction/predict-tensors.ts';
import { predictionHeaders } from '../../../http/terms/documented-headers.ts';
import type { Infer } from '../../../serving/infer.ts';
import { inTurns } from '../../../timing/turns.ts';
import { bodyOf } from './body.ts';
import { errorResponses } from './error-body.ts';
import { chooseCoding, compress } from './infer/compression.ts';
import { decodeInputs } from './infer/decode.ts';
import { encodeReply, type InferReply, type ReplyOptions } from './infer/encode.ts';
import { type InferBody, jsonLengthHeader, readInferBody } from './infer/infer-body.ts';
import { inferRequest, inferResponse, modelParams, versionParams } from './schemas.ts';

/** Smaller replies would gain nothing by compression. */
const leastCompressedBytes = 1024;

/** The parts of larger replies are sent one by one: to join them would cost a copy of the tensors. */
const mostJoinedBytes = 64 * 1024;

const example = {
  id: 'example',
  inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }],
  outputs: [{ name: 'probabilities' }],
};

const responses = {
  200: {
    description: 'The outputs; with binary ones the JSON ends where `Inference-Header-Content-Length` says',
    content: {
      'application/json': { schema: inferResponse },
      'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
    },
  },
  ...errorResponses(
    'MALFORMED_JSON',
    'MALFORMED_BODY',
    'MALFORMED_TENSOR',
    'SIGNATURE_MISMATCH',
    'VERSION_NOT_FOUND',
    // No body is validated by a schema here.
    ...predictionErrorCodes.filter((code) => code !== 'VALIDATION_FAILED'),
  ),
};

/** `POST /v2/models/{name}[/versions/{version}]/infer`. */
export function inferRoutes(app: FastifyInstance, { infer }: { infer: Infer }): void {
  const body = { content: { 'application/json': { schema: inferRequest, examples: [example] } } };
  for (const [url, params] of [
    ['/models/:name/infer', modelParams],
    ['/models/:name/versions/:version/infer', versionParams],
  ] as const) {
    app.post<{ Params: { name: string; version?: string } }>(url, {
      schema: {
        tags: ['open-inference'],
        summary: 'Runs a model',
        description:
          'Tensors stand in the JSON or behind it (`Inference-Header-Content-Length`). Takes and gives gzip and deflate.',
        params,
        headers: predictionHeaders,
        body,
        response: responses,
      },
      handler: (request, reply) => answer(request, reply, infer),
    });
  }
}

async function answer(
  request: FastifyRequest<{ Params: { name: string; version?: string } }>,
  reply: FastifyReply,
  infer: Infer,
): Promise<FastifyReply> {
  const bytes = bodyOf(request);
  const read = readInferBody(request.headers, bytes, request.server.bodyLimits.jsonLimitBytes);
  const body = read instanceof Promise ? await read : read;
  const asked = body.kind === 'json' ? body.request : undefined;
  const encoded = await predictTensors(request, reply, infer, {
    model: request.params.name,
    version: request.params.version,
    timeoutMs: asked?.timeoutMs,
    priority: asked?.priority,
    outputs: asked?.outputs?.map((output) => output.name),
    encode: (model) => inTurns(decodeInputs(body, model)),
    decode: (result) => inTurns(encodeReply(result, replyOptions(body))),
  }).finally(() => releaseMemory(bytes));
  return send(encoded, request, reply);
}

function replyOptions(body: InferBody): ReplyOptions {
  return body.kind === 'json' ? body.request : { binaryOutputs: true };
}

async function send({ parts, jsonBytes }: InferReply, request: FastifyRequest, reply: FastifyReply) {
  reply.type(jsonBytes === undefined ? 'application/json' : 'application/octet-stream');
  addVary(reply, 'accept-encoding');
  if (jsonBytes !== undefined) reply.header(jsonLengthHeader, jsonBytes);
  const isSmall = bytesOf(parts) < leastCompressedBytes;
  const coding = isSmall ? undefined : chooseCoding(request.headers['accept-encoding']);
  if (coding === undefined) return sendParts(reply, parts);
  return sendParts(reply.header('content-encoding', coding), await compress(parts, coding));
}

function sendParts(reply: FastifyReply, parts: readonly Uint8Array[]): FastifyReply {
  const bytes = bytesOf(parts);
  if (bytes <= mostJoinedBytes) return reply.send(Buffer.concat(parts));
  return reply.header('content-length', bytes).send(Readable.from(parts));
}

function bytesOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}
