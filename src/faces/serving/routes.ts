import multipart from '@fastify/multipart';
import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AnyDomain } from '../../domains/define-domain.ts';
import { type BodyShape, locateFaults, multipartLimits } from '../../domains/instances.ts';
import { parseForm } from '../../domains/parse-form.ts';
import { AppError } from '../../errors.ts';
import { declareScope } from '../../http/admission/route-scope.ts';
import { predictionErrorCodes, problemResponses } from '../../http/answer/problem.ts';
import { sendPieces } from '../../http/answer/send-pieces.ts';
import { addBodyParser } from '../../http/body/body-parser.ts';
import { jsonLimit } from '../../http/body/json-parser.ts';
import { predictTensors } from '../../http/prediction/predict-tensors.ts';
import type { TaskDesk } from '../../http/prediction/task-desk.ts';
import { routingOf } from '../../http/terms/call-terms.ts';
import { predictionHeaders } from '../../http/terms/documented-headers.ts';
import type { Infer } from '../../serving/infer.ts';
import { listPieces } from '../../tensor/sliced-json/list-pieces.ts';
import { inTurns } from '../../timing/turns.ts';
import type { ModelFace } from '../model-face.ts';
import { type FaceOrder, faceWorkName } from './face-work.ts';
import type { ModelFaces } from './model-faces.ts';
import { faceAnswer, facePrediction } from './predict-face.ts';
import { instancesOf, queryOf, type ReceivedBody, receiveBody } from './received-body.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The face that was there when the request came; its version may have been replaced since. */
    modelFace: ModelFace | undefined;
  }
}

export interface FaceRoutesOptions {
  readonly faces: ModelFaces;
  readonly infer: Infer;
  readonly bodyLimitBytes: number;
  /** Takes what is to be predicted in the background; undefined: none is taken. */
  readonly desk?: TaskDesk | undefined;
}

export const facePaths = {
  one: '/:name/predict',
  many: '/:name/predict/batch',
  tasks: '/:name/tasks',
} as const;

/** The methods of a path that is that of a face which is there. */
export function faceMethodsOf(faces: Pick<ModelFaces, 'has'>, path: string): readonly string[] {
  const name = /^\/([^/?]+)\/(?:predict|predict\/batch|tasks|hf)(?:\?|$)/.exec(path)?.[1];
  return name !== undefined && faces.has(name) ? ['POST'] : [];
}

/** So many are written in pieces: vectors of a thousand texts are ten megabytes. */
const manyResults = 16;
/** Longer lists of one result are written in pieces; vectors are shorter. */
const manyMembers = 5000;

const formMediaType = 'application/x-www-form-urlencoded';
const pictureTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];

/** What encoding a record, a picture or a text may come to, beside all that a prediction may. */
const faceErrorCodes = [
  'MALFORMED_JSON',
  'PICTURE_TOO_LARGE',
  'PICTURE_UNREADABLE',
  'TEXT_TOO_LONG',
  'DIMENSIONS_UNSUPPORTED',
  'ENCODER_FAILED',
] as const;

const params = z.object({ name: z.string() });
const query = z.looseObject({
  version: z.string().optional().describe('Version of the model; absent: the one that serves'),
});

/** `POST /{model}/predict`, `/predict/batch` and `/tasks` for every model whose version has a face. */
export async function faceRoutes(app: FastifyInstance, options: FaceRoutesOptions): Promise<void> {
  const { faces } = options;
  declareScope(app, 'infer');
  app.decorateRequest('modelFace', undefined);
  app.addHook('onRequest', (request, _reply, done) => {
    const { face, lease } = leaseOf(faces, request);
    lease.release();
    request.modelFace = face;
    requireMediaType(request, face.domain);
    done();
  });
  addBodyParser(app, formMediaType, parseForm, { limit: jsonLimit });
  await app.register(multipart, { limits: multipartLimits });
  addBodyParser(app, pictureTypes, (body) => body);

  const documentation = {
    params,
    querystring: query,
    headers: predictionHeaders,
    response: { 200: z.any(), ...problemResponses(...faceErrorCodes, ...predictionErrorCodes) },
  };
  const typed = app.withTypeProvider<ZodTypeProvider>();
  typed.post(facePaths.one, {
    schema: documentation,
    handler: (request, reply) => predict(request, reply, options, 'one'),
  });
  typed.post(facePaths.many, {
    schema: documentation,
    handler: (request, reply) => predict(request, reply, options, 'many'),
  });
  if (options.desk !== undefined) addTaskRoute(app, options, options.desk);
}

function addTaskRoute(app: FastifyInstance, { faces, bodyLimitBytes }: FaceRoutesOptions, desk: TaskDesk): void {
  app.withTypeProvider<ZodTypeProvider>().post(facePaths.tasks, {
    schema: {
      params,
      querystring: query.extend(desk.query.shape),
      headers: desk.headers,
      response: desk.responses,
    },
    handler: async (request, reply) => {
      const { name } = request.params;
      const { version } = request.query;
      const received = await receive(
        request,
        request.isMultipart() || isBatch(request.body, request.modelFace?.domain) ? 'many' : 'one',
        bodyLimitBytes,
      );
      const body = oneOfOneFile(received);
      const { face, lease } = faces.lease(name, version);
      lease.release();
      const { values } = instancesOf(face.domainFor(body.query), body);
      const input: FaceOrder = { model: name, version, body };
      return desk.accept(request, reply, { work: faceWorkName, model: name, input, instances: values.length });
    },
  });
}

function oneOfOneFile(body: ReceivedBody): ReceivedBody {
  const isOne = 'files' in body.content && body.content.files.length === 1;
  return isOne ? { ...body, shape: 'one' } : body;
}

async function predict(
  request: FastifyRequest,
  reply: FastifyReply,
  { faces, infer, bodyLimitBytes }: FaceRoutesOptions,
  shape: BodyShape,
): Promise<unknown> {
  const body = await receive(request, shape, bodyLimitBytes);
  const { instances, prediction } = facePrediction(leaseOf(faces, request), body);
  const results = await predictTensors(request, reply, infer, prediction).catch((thrown: unknown) => {
    throw locateFaults(thrown, instances);
  });
  if (shape === 'one') return oneAnswer(results[0], reply);
  if (results.length < manyResults) return faceAnswer(results, body);
  return sendPieces(reply, await inTurns(listPieces({}, 'predictions', results)));
}

/** A result of a long text has a list of thousands of objects, which is written in pieces. */
async function oneAnswer(result: unknown, reply: FastifyReply): Promise<unknown> {
  if (typeof result !== 'object' || result === null) return result;
  const long = Object.entries(result).find(([, value]) => Array.isArray(value) && value.length > manyMembers);
  if (long === undefined) return result;
  const [name, list] = long;
  const others = Object.fromEntries(Object.entries(result).filter(([key]) => key !== name));
  return sendPieces(reply, await inTurns(listPieces(others, name, list)));
}

function receive(request: FastifyRequest, shape: BodyShape, bodyLimitBytes: number): Promise<ReceivedBody> {
  const { modelFace } = request;
  if (modelFace === undefined) throw new AppError('INTERNAL', { message: 'The request has no face' });
  if (request.mediaType === formMediaType) {
    const json = modelFace.coerceForm(request.body as Record<string, unknown>);
    return Promise.resolve({ shape, query: queryOf(request), content: { json } });
  }
  return receiveBody(request, modelFace.domain, shape, bodyLimitBytes);
}

function leaseOf(faces: ModelFaces, request: FastifyRequest) {
  const { name } = request.params as z.output<typeof params>;
  const { version } = request.query as z.output<typeof query>;
  return faces.lease(name, version, routingOf(request));
}

/** A record may have a column of that name, which is no list. */
function isBatch(body: unknown, domain: AnyDomain | undefined): boolean {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, 'instances')) return false;
  const isColumn = domain?.input instanceof z.ZodObject && Object.hasOwn(domain.input.shape, 'instances');
  return !isColumn || ('instances' in body && Array.isArray(body.instances));
}

/** @throws AppError `UNSUPPORTED_MEDIA_TYPE` for a body that the face does not take */
function requireMediaType(request: FastifyRequest, domain: AnyDomain): void {
  const expected = mediaTypesOf(domain);
  const { mediaType } = request;
  if (mediaType !== undefined && expected.includes(mediaType)) return;
  const received = request.headers['content-type'];
  const message = `The route takes ${expected.join(', ')}; received ${received ?? 'no content-type'}`;
  throw new AppError('UNSUPPORTED_MEDIA_TYPE', { message, received, expected });
}

function mediaTypesOf({ form, file }: AnyDomain): readonly string[] {
  return [
    'application/json',
    ...(form === true ? [formMediaType] : []),
    ...(file === undefined ? [] : ['multipart/form-data', ...file.mediaTypes]),
  ];
}
