import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { declareScope } from '../http/admission/route-scope.ts';
import { predictionErrorCodes, problemResponses } from '../http/answer/problem.ts';
import { validationError } from '../http/answer/zod-compilers.ts';
import { addBodyParser } from '../http/body/body-parser.ts';
import { jsonLimit } from '../http/body/json-parser.ts';
import { requireAcceptedMediaType } from '../http/body/media-type.ts';
import { predictTensors } from '../http/prediction/predict-tensors.ts';
import type { TaskDesk } from '../http/prediction/task-desk.ts';
import { predictionHeaders } from '../http/terms/documented-headers.ts';
import type { Infer } from '../serving/infer.ts';
import { formCoercion } from './coerce-form.ts';
import { type DomainOrder, domainWorkName } from './deferred.ts';
import type { AnyDomain } from './define-domain.ts';
import { constrainToDomain } from './domain-constraint.ts';
import type { Faces } from './faces.ts';
import { type BodyShape, locateFaults, mostInstances, multipartLimits, readInstances } from './instances.ts';
import { parseForm } from './parse-form.ts';
import { decodeRuns, groupedInstances, separateInstances, typedRequest } from './typed-request.ts';

export interface DomainRoutesOptions {
  readonly domain: AnyDomain;
  readonly infer: Infer;
  readonly faces: Pick<Faces, 'hiddenBecause'>;
  readonly bodyLimitBytes: number;
  /** Takes what is to be predicted in the background; undefined: nobody does. */
  readonly desk?: TaskDesk | undefined;
}

const predictionErrors = problemResponses('MALFORMED_JSON', ...predictionErrorCodes);

/** `POST /{domain}/predict` and `POST /{domain}/predict/batch`. */
export async function domainRoutes(app: FastifyInstance, options: DomainRoutesOptions): Promise<void> {
  const { domain, faces } = options;
  declareScope(app, 'infer', domain.model);
  if (domain.optional === true) app.addHook('onRoute', constrainToDomain);
  app.addHook('onRequest', (request, _reply, done) => {
    const reason = faces.hiddenBecause(domain);
    done(reason === undefined ? undefined : noRoute(request, reason));
  });
  app.addHook('preValidation', (request, _reply, done) => {
    requireAcceptedMediaType(request);
    done();
  });
  await acceptMediaTypes(app, domain);
  const { input, output } = domain;
  const [example] = domain.examples;
  const batch = z.strictObject({ instances: z.array(input).min(1).max(mostInstances) });

  app.post('/predict', {
    schema: {
      tags: [domain.name],
      summary: domain.summary,
      headers: predictionHeaders,
      body: { content: { ...jsonBody(input, domain.examples), ...formBody(domain), ...fileBody(domain, 'one') } },
      response: { 200: output.describe('The result'), ...predictionErrors },
    },
    handler: async (request, reply) => {
      const [result] = await predict(request, reply, options, 'one');
      return result;
    },
  });

  app.post('/predict/batch', {
    schema: {
      tags: [domain.name],
      summary: `${domain.summary} Many at once`,
      headers: predictionHeaders,
      description: `Up to ${mostInstances} instances. The predictions have the order of the instances.`,
      body: {
        content: { ...jsonBody(batch, [{ instances: [example, example] }]), ...fileBody(domain, 'many') },
      },
      response: { 200: z.object({ predictions: z.array(output) }).describe('The results'), ...predictionErrors },
    },
    handler: async (request, reply) => ({ predictions: await predict(request, reply, options, 'many') }),
  });

  if (options.desk !== undefined) addTaskRoute(app, batch, options, options.desk);
}

function noRoute({ method, url }: FastifyRequest, reason: string): AppError {
  return new AppError('ROUTE_NOT_FOUND', { message: `There is no route ${method} ${url}: ${reason}` });
}

/** `POST /{domain}/tasks`: what either of the others would do, later. */
function addTaskRoute(
  app: FastifyInstance,
  batch: z.ZodType,
  { domain, bodyLimitBytes }: DomainRoutesOptions,
  desk: TaskDesk,
): void {
  const { input, examples } = domain;
  app.post('/tasks', {
    schema: {
      tags: [domain.name],
      summary: `${domain.summary} In the background`,
      description: 'Takes what predict or predict/batch takes, and answers where the result will be.',
      headers: desk.headers,
      querystring: desk.query,
      body: {
        content: {
          ...jsonBody(documentEither(input, batch), [examples[0], { instances: [examples[0], examples[0]] }]),
          ...formBody(domain),
          ...fileBody(domain, 'one'),
          ...fileBody(domain, 'many'),
        },
      },
      response: desk.responses,
    },
    handler: async (request, reply) => {
      if (request.mediaType === 'application/json') request.body = validateEither(request.body, input, batch);
      const isFiles = domain.file !== undefined && request.isMultipart();
      const asked = isFiles || isBatch(request.body) ? 'many' : 'one';
      const { values } = await readInstances(request, domain, asked, bodyLimitBytes);
      const order: DomainOrder = { shape: isFiles && values.length === 1 ? 'one' : asked, instances: values };
      const work = domainWorkName(domain);
      return desk.accept(request, reply, { work, model: domain.model, input: order, instances: values.length });
    },
  });
}

/** A schema that documents two and validates nothing: a union would name the faults by both. */
function documentEither(one: z.ZodType, many: z.ZodType): z.ZodType {
  const { $schema: _, ...schema } = z.toJSONSchema(z.union([one, many]), { io: 'input', unrepresentable: 'any' });
  return z.any().meta(schema);
}

function validateEither(body: unknown, one: z.ZodType, many: z.ZodType): unknown {
  const result = (isBatch(body) ? many : one).safeParse(body, { reportInput: true });
  if (result.success) return result.data;
  throw validationError(result.error, ['body']);
}

function isBatch(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Object.hasOwn(body, 'instances');
}

async function predict(
  request: FastifyRequest,
  reply: FastifyReply,
  { domain, infer, bodyLimitBytes }: DomainRoutesOptions,
  shape: BodyShape,
): Promise<unknown[]> {
  const instances = await readInstances(request, domain, shape, bodyLimitBytes);
  const prediction = predictTensors(request, reply, infer, {
    model: domain.model,
    typed: typedRequest(domain, instances.values),
    separate: separateInstances(domain, instances.values),
    grouped: groupedInstances(domain, instances.values),
    encode: (model, context) => domain.encode(instances.values, model, context),
    decode: (inference) => decodeRuns(domain, inference, instances.values),
  });
  return prediction.catch((thrown: unknown) => {
    throw locateFaults(thrown, instances);
  });
}

async function acceptMediaTypes(app: FastifyInstance, domain: AnyDomain): Promise<void> {
  if (domain.form === true) {
    addBodyParser(app, formMediaType, parseForm, { limit: jsonLimit });
    const coerce = formCoercion(domain.input);
    app.addHook('preValidation', (request, _reply, done) => {
      if (request.mediaType === formMediaType) request.body = coerce(request.body as Record<string, unknown>);
      done();
    });
  }
  if (domain.file === undefined) return;
  await app.register(multipart, { limits: multipartLimits });
  addBodyParser(app, [...domain.file.mediaTypes], (body) => body);
}

const formMediaType = 'application/x-www-form-urlencoded';

function jsonBody(schema: z.ZodType, examples: readonly unknown[]) {
  return { 'application/json': { schema, examples } };
}

function formBody({ form, input }: AnyDomain) {
  return form === true ? { [formMediaType]: { schema: input } } : {};
}

/** Files are not validated by a schema; these ones only document them. */
function fileBody({ file }: AnyDomain, shape: BodyShape) {
  if (file === undefined) return {};
  const binary = { type: 'string', format: 'binary' } as const;
  const field = shape === 'one' ? binary : { type: 'array', items: binary };
  const form = z.any().meta({ type: 'object', properties: { [file.field]: field }, required: [file.field] });
  const raw = Object.fromEntries(file.mediaTypes.map((type) => [type, { schema: z.any().meta(binary) }]));
  return { 'multipart/form-data': { schema: form }, ...(shape === 'one' ? raw : {}) };
}
