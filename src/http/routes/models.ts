import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { hideFolders } from '../../errors.ts';
import type { EngineStats, RunnerStats } from '../../inference/engine.ts';
import type { Predictor } from '../../inference/predictor.ts';
import type { RemoteReport } from '../../inference/remote/remote-events.ts';
import type { LoadedVersion } from '../../models/registry/loaded-version.ts';
import type { RegisteredModel } from '../../models/registry/registered-model.ts';
import type { Registry } from '../../models/registry/registry.ts';
import type { FaceReport } from '../../models/version-face.ts';
import type { TensorSpec } from '../../tensor/tensor.ts';
import { maySeeModel } from '../admission/authorization.ts';
import { declareScope } from '../admission/route-scope.ts';
import { problemResponses } from '../answer/problem.ts';
import { describeGraph, graphSchema, type MaySee } from './model-graph.ts';

const tensorSpec = z.object({
  name: z.string(),
  datatype: z.string(),
  shape: z.array(z.int()).describe('-1 where any size fits'),
  dimensions: z
    .array(z.union([z.int(), z.string()]))
    .optional()
    .describe('The shape with the names that the model has for free dimensions'),
});

const runnerSchema = z.object({
  pid: z.int().optional(),
  state: z.enum(['starting', 'ready', 'busy', 'restarting', 'closed']),
  rss_bytes: z.number().describe('Resident memory'),
  runs: z.int(),
  restarts: z.int(),
});

const queueSchema = z.object({
  rows: z.int(),
  bytes: z.number(),
  oldest_wait_ms: z.number().describe('How long the oldest request has waited'),
  background_rows: z
    .int()
    .describe('Rows that wait until no other request needs a runner; the other figures leave them out'),
});

const costSchema = z
  .object({ per_row_ms: z.number(), per_run_ms: z.number() })
  .describe('Learned from recent runs: a run of n rows takes per_row_ms · n + per_run_ms');

const versionSchema = z.object({
  version: z.string(),
  kind: z.string().describe('What it is made of: onnx, graph or remote'),
  state: z.enum(['LOADING', 'READY', 'UNLOADING', 'UNAVAILABLE']),
  reason: z.string().optional().describe('Why the version is not ready'),
  failed_replacement: z
    .string()
    .optional()
    .describe('Why what its files are now could not be loaded; the version from before goes on serving'),
  load_ms: z.number().optional().describe('How long loading and warming up took'),
  inputs: z.array(tensorSpec).optional(),
  outputs: z.array(tensorSpec).optional(),
  independent_rows: z.boolean().optional().describe('Whether requests share runs, and long ones are cut'),
  independent_rows_why: z.string().optional().describe('How that was found, in a sentence'),
  unservable: z
    .array(z.object({ output: z.string(), type: z.string(), why: z.string(), remedy: z.string() }))
    .optional()
    .describe('Outputs that the model has and that cannot be served'),
  face: z
    .object({
      state: z.enum(['ready', 'none', 'invalid']),
      kind: z.string().optional(),
      why: z.string().optional().describe('Why there is none'),
      padding: z
        .object({ joined: z.boolean(), why: z.string() })
        .optional()
        .describe('Whether texts of unlike length are padded to share runs'),
    })
    .optional()
    .describe('The typed route /{name}/predict, as the files of the model make it'),
  graph: graphSchema.optional().describe('How it is made of other models'),
  remote: z
    .object({
      urls: z.array(z.object({ url: z.string(), up: z.boolean().describe('Whether it is asked now') })),
      model: z.string().describe('Its name there'),
      version: z.string().optional().describe('Its version there; unset: the server chooses'),
    })
    .optional()
    .describe('The other servers that it is on'),
  retained_by: z
    .array(z.string())
    .optional()
    .describe('Models that are made of this version; it stays loaded for them'),
  intra_op_threads: z.int().optional().describe('Threads inside an operator, as model.json says or a trial has found'),
  cache: z
    .object({
      entries: z.int(),
      bytes: z.number(),
      hits: z.int(),
      misses: z.int(),
    })
    .optional()
    .describe('Answers that are kept in memory now, and lookups since the version was loaded'),
  runners: z.array(runnerSchema).optional(),
  queue: queueSchema.optional().describe('What waits for a runner'),
  cost: costSchema.optional(),
  description: z.string().optional(),
  labels: z.record(z.string(), z.array(z.string())).describe('Class names by output'),
  // Not z.json(), whose recursion ends in a reference that no document has.
  metadata: z.record(z.string(), z.unknown()),
});

const modelSchema = z.object({
  name: z.string(),
  state: z.enum(['LOADING', 'READY', 'UNLOADING', 'UNAVAILABLE']),
  reason: z.string().optional().describe('Why the model is not ready'),
  traffic: z
    .object({
      split: z.record(z.string(), z.number()).optional(),
      shadow: z
        .object({ version: z.string(), share: z.number(), maxBytes: z.int(), tolerance: z.number() })
        .optional()
        .describe('What gets a copy of requests that other versions answer'),
      stick: z.array(z.string()),
    })
    .optional()
    .describe('How requests that name no version are split; without it, the highest version answers that can'),
  versions: z.array(versionSchema).describe('The highest first'),
});

const modelParams = z.object({ name: z.string() });
const versionParams = z.object({ name: z.string(), version: z.string() });

/** `GET /models`, `GET /models/{name}` and `GET /models/{name}/versions/{version}`. */
export function modelRoutes(app: FastifyInstance, { registry }: { registry: Registry }): void {
  declareScope(app, 'infer');
  const typed = app.withTypeProvider<ZodTypeProvider>();

  typed.get('/models', {
    config: { filtersModels: true },
    schema: {
      tags: ['models'],
      summary: 'What is loaded',
      response: { 200: z.object({ models: z.array(modelSchema) }).describe('Every model of the repository') },
    },
    handler: (request) => ({
      models: registry
        .list()
        .filter(({ name }) => maySeeModel(request, name))
        .map((model) => describeModel(model, sight(registry, request))),
    }),
  });

  typed.get('/models/:name', {
    schema: {
      tags: ['models'],
      summary: 'One model with its versions',
      params: modelParams,
      response: { 200: modelSchema.describe('The model'), ...problemResponses('MODEL_NOT_FOUND') },
    },
    handler: (request) => describeModel(registry.get(request.params.name), sight(registry, request)),
  });

  typed.get('/models/:name/versions/:version', {
    schema: {
      tags: ['models'],
      summary: 'One version of a model',
      params: versionParams,
      response: {
        200: versionSchema.describe('The version'),
        ...problemResponses('MODEL_NOT_FOUND', 'VERSION_NOT_FOUND'),
      },
    },
    handler: (request) =>
      describeVersion(registry.getVersion(request.params.name, request.params.version), sight(registry, request)),
  });
}

/** State of a model, which is that of the version that serves it, and why it is not ready. */
export function modelState(model: RegisteredModel) {
  const served = [model.served, ...model.versions].find((version) => version?.state === 'READY') ?? model.versions[0];
  return { state: served?.state ?? 'UNAVAILABLE', reason: model.error?.message ?? served?.reason } as const;
}

/** What can be looked up for a description, and what of it may be told. */
interface Sight {
  readonly registry: Registry;
  readonly maySee: MaySee;
}

function sight(registry: Registry, request: FastifyRequest): Sight {
  return { registry, maySee: (name) => maySeeModel(request, name) };
}

function describeModel(model: RegisteredModel, seen: Sight): z.input<typeof modelSchema> {
  const { state, reason } = modelState(model);
  return {
    name: model.name,
    state,
    ...(reason !== undefined && { reason }),
    ...(model.traffic !== undefined && { traffic: model.traffic }),
    versions: model.versions.map((loaded) => describeVersion(loaded, seen)),
  };
}

function describeVersion(loaded: LoadedVersion, { registry, maySee }: Sight): z.input<typeof versionSchema> {
  const { binding } = loaded;
  const retainedBy = registry.dependentsOn(loaded.name, loaded.version).filter(maySee);
  const { version, kind, state, reason, loadMs, predictor, engine, manifest, cache } = loaded;
  return {
    version,
    kind,
    state,
    ...(reason !== undefined && { reason }),
    ...(loaded.failedReplacement !== undefined && { failed_replacement: loaded.failedReplacement.message }),
    ...(loadMs !== undefined && { load_ms: Math.round(loadMs) }),
    ...(predictor !== undefined && describePredictor(predictor)),
    ...(engine !== undefined && {
      independent_rows_why: engine.independence.why,
      ...(engine.intraOpThreads !== undefined && { intra_op_threads: engine.intraOpThreads }),
      ...describeStats(engine.stats()),
    }),
    ...(cache !== undefined && { cache: cache.figures }),
    ...(binding !== undefined && { graph: describeGraph(registry, binding, maySee) }),
    ...(loaded.remote !== undefined && { remote: describeRemote(loaded.remote) }),
    ...(retainedBy.length > 0 && { retained_by: retainedBy }),
    ...(loaded.faceReport !== undefined && { face: describeFace(loaded.faceReport) }),
    ...(manifest.description !== undefined && { description: manifest.description }),
    labels: manifest.labels,
    metadata: manifest.metadata,
  };
}

function describeRemote({ urls, model, version }: RemoteReport) {
  return { urls: urls.map(({ url, up }) => ({ url, up })), model, ...(version !== undefined && { version }) };
}

function describeFace(report: FaceReport): NonNullable<z.input<typeof versionSchema>['face']> {
  const { state } = report;
  if (report.state !== 'ready') return { state, why: hideFolders(report.why) };
  const { kind, padding } = report.face;
  return { state, kind, ...(padding !== undefined && { padding: { ...padding } }) };
}

function describePredictor({ signature, independentRows }: Predictor) {
  return {
    inputs: signature.inputs.map(describeTensor),
    outputs: signature.outputs.map(describeTensor),
    ...(signature.unservable !== undefined && { unservable: [...signature.unservable] }),
    independent_rows: independentRows,
  };
}

function describeTensor({ name, datatype, shape, dimensions }: TensorSpec): z.input<typeof tensorSpec> {
  return { name, datatype, shape: [...shape], ...(dimensions !== undefined && { dimensions: [...dimensions] }) };
}

function describeStats({ runners, queueRows, queueBytes, backgroundRows, oldestWaitMs, cost }: EngineStats) {
  return {
    runners: runners.map(describeRunner),
    queue: { rows: queueRows, bytes: queueBytes, oldest_wait_ms: oldestWaitMs, background_rows: backgroundRows },
    ...(cost !== undefined && { cost: { per_row_ms: cost.perRowMs, per_run_ms: cost.perRunMs } }),
  };
}

function describeRunner({ pid, state, rssBytes, runs, restarts }: RunnerStats): z.input<typeof runnerSchema> {
  return { ...(pid !== undefined && { pid }), state, rss_bytes: rssBytes, runs, restarts };
}
