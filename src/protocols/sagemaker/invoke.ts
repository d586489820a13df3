import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { sendPieces } from '../../http/answer/send-pieces.ts';
import { addBodyParser } from '../../http/body/body-parser.ts';
import { predictTensors } from '../../http/prediction/predict-tensors.ts';
import type { Infer } from '../../serving/infer.ts';
import { JsonPieces } from '../../tensor/sliced-json/write-sliced-json.ts';
import type { ReadOpenInference } from '../invocation.ts';
import { errorResponses } from './error-body.ts';
import { bodyKeys, readInvocation } from './read-invocation.ts';

export interface InvokeDependencies {
  readonly infer: Infer;
  readonly openInference: ReadOpenInference;
  /** Most cells of a data frame. */
  readonly tableLimitCells: number;
}

/** Takes every body as bytes: its media type is looked at where it is read. */
export function takeBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  addBodyParser(app, '*', (body) => body);
}

/** Answers an invocation of that model, in the format of its body. */
export async function invoke(
  request: FastifyRequest,
  reply: FastifyReply,
  model: string,
  { infer, openInference, tableLimitCells }: InvokeDependencies,
): Promise<FastifyReply> {
  const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const invocation = await readInvocation(request.headers['content-type'] ?? '', bytes, {
    openInference,
    tableLimitCells,
    jsonLimitBytes: request.server.bodyLimits.jsonLimitBytes,
  });
  const { mediaType, body } = await predictTensors(request, reply, infer, { model, ...invocation });
  if (body instanceof JsonPieces) return sendPieces(reply, body, mediaType) as FastifyReply;
  return reply.header('content-type', mediaType).send(body);
}

/** Documents the bodies that an invocation takes, and what it gives. */
export const invocationSchema = {
  body: {
    content: {
      'application/json': {
        schema: z.any().meta({
          type: 'object',
          description:
            `One of ${bodyKeys.join(', ')}, or a request of the Open Inference Protocol. ` +
            '`params` or `parameters` may have `outputs`, the names of the wanted outputs.',
        }),
        examples: [
          { instances: [[5.1, 3.5, 1.4, 0.2]] },
          { inputs: { features: [[5.1, 3.5, 1.4, 0.2]] }, params: { outputs: ['probabilities'] } },
          {
            dataframe_split: {
              columns: ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'],
              data: [[5.1, 3.5, 1.4, 0.2]],
            },
          },
          { dataframe_records: [{ sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }] },
          { inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }] },
        ],
      },
      'text/csv': { schema: z.any().meta({ type: 'string' }) },
      'application/vnd.sagemaker-triton.binary+json': { schema: z.any().meta({ type: 'string', format: 'binary' }) },
    },
  },
  response: {
    200: z.record(z.string(), z.any()).describe('`predictions`, or a reply of the Open Inference Protocol'),
    ...errorResponses(
      'MALFORMED_JSON',
      'MALFORMED_TENSOR',
      'VALIDATION_FAILED',
      'MODEL_NOT_FOUND',
      'BODY_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'INTERNAL',
      'MODEL_NOT_READY',
      'QUEUE_FULL',
      'DEADLINE_EXCEEDED',
    ),
  },
};
