import { z } from 'zod';
import { AppError } from './errors.ts';
import { cacheSettings, cacheVariables } from './settings/cache.ts';
import { limitSettings, limitVariables } from './settings/limits.ts';
import { openTelemetrySettings, samplers } from './settings/open-telemetry.ts';
import { readRemoteSecrets, remoteVariables } from './settings/remote.ts';
import {
  emptyIsUnset,
  flag,
  isProxy,
  list,
  oneOf,
  optionalText,
  optionalWholeNumber,
  port,
  route,
  share,
  text,
  url,
  wholeNumber,
} from './settings/values.ts';

/** The environment variables that inferd reads, with their defaults. `.env.example` lists the same. */
export const environmentSchema = z.object({
  HOST: text('0.0.0.0').describe('Address to listen on'),
  PORT: port().describe(
    'Port to listen on, 0 takes a free one; unset: AIP_HTTP_PORT, else SAGEMAKER_BIND_TO_PORT, else 8080',
  ),
  GRPC_PORT: port().describe('Port of gRPC; unset: no gRPC, 0 takes a free one'),
  MODELS_DIR: optionalText().describe(
    'Folder of the model repository; unset: the first there is of /mnt/models (KServe), /opt/ml/model (SageMaker) and ./models',
  ),
  MODEL_NAME: optionalText().describe('Name of the model that lies in the folder itself as model.onnx; unset: model'),
  MODELS_URI: optionalText().describe(
    'Where models are fetched from at the start, to be served instead of MODELS_DIR: s3://bucket/prefix, or an archive by s3:// or https://',
  ),
  MODELS_CACHE_DIR: text('./data/model-cache').describe('Folder that fetched models are kept in, for one server alone'),
  WATCH_MODELS: flag().describe('Follow the folder: load what is new or changed, unload what is gone'),
  ALLOW_MODEL_UPLOAD: flag().describe('Let a load request bring its own manifest and model files'),
  ALLOW_CODE_MODELS: flag().describe('Run models that are own code, model.ts in the folder of the operator'),
  DEFAULT_MODEL: optionalText().describe('Domain or model that POST /predict means; unset: the only one there is'),
  LOG_LEVEL: z
    .preprocess(emptyIsUnset, z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'))
    .describe('Least level that is logged: trace, debug, info, warn, error, fatal or silent'),
  LOG_PREDICTIONS: share().describe('Part of the predictions that are logged, from 0 to 1; off: none'),
  LOG_PREDICTION_INPUTS: flag().describe('Log also what the predictions were made from, and their outputs'),
  LOG_PREDICTION_REDACT: text('').describe('Fields and inputs whose values are never logged, with commas between'),
  BODY_LIMIT_BYTES: wholeNumber({ min: 1024, max: 2 ** 31 - 1, default: 64 * 1024 * 1024 }).describe(
    'Largest request body, in bytes',
  ),
  ANSWER_LIMIT_BYTES: wholeNumber({ min: 1024, max: 2 ** 31 - 1, default: 256 * 1024 * 1024 }).describe(
    'Largest answer of a prediction, in bytes of its tensors, and of its JSON at most',
  ),
  ...limitVariables,
  ...cacheVariables,
  REQUEST_TIMEOUT_MS: wholeNumber({ min: 1, max: 3_600_000, default: 30_000 }).describe(
    'Deadline of a prediction, in milliseconds',
  ),
  UPLOAD_TIMEOUT_MS: wholeNumber({ min: 1000, max: 3_600_000, default: 120_000 }).describe(
    'Longest time that a request may take to arrive, in milliseconds',
  ),
  ALLOW_NO_MODELS: flag().describe('Be ready also when the repository is empty'),
  FACES: flag(true).describe('Find typed routes in the files of models'),
  PICTURE_THREADS: optionalWholeNumber({ min: 1, max: 256 }).describe(
    'Threads that resize pictures, started with the first; unset: half the cores',
  ),
  TEI_ROUTES: flag().describe('Answer POST /embed and POST /rerank as Text Embeddings Inference does'),
  ...remoteVariables,
  METRICS: flag(true).describe('Measure requests for GET /metrics'),
  TRITON_METRICS: flag().describe("Have Triton's names of the figures in GET /metrics too"),
  DRAIN_DELAY_MS: wholeNumber({ min: 0, max: 3_600_000, default: 0 }).describe(
    'How long a stop goes on taking requests while it is not ready, so that load balancers notice, in milliseconds',
  ),
  SHUTDOWN_TIMEOUT_MS: wholeNumber({ min: 100, max: 3_600_000, default: 30_000 }).describe(
    'Longest time that a stop may wait for requests in flight, in milliseconds',
  ),
  AIP_HTTP_PORT: port().describe('Port to listen on, as Vertex AI sets it'),
  AIP_HEALTH_ROUTE: route().describe('Path that Vertex AI asks for readiness'),
  AIP_PREDICT_ROUTE: route().describe('Path that Vertex AI sends predictions to; they are those of /invocations'),
  SAGEMAKER_BIND_TO_PORT: port().describe('Port to listen on, as SageMaker sets it'),
  SAGEMAKER_MULTI_MODEL: flag().describe('Serve a multi-model endpoint of SageMaker: it loads and unloads models'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url().describe('OpenTelemetry: collector for traces and metrics, by OTLP over HTTP'),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url().describe('OpenTelemetry: full URL for traces, if it differs'),
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: url().describe('OpenTelemetry: full URL for metrics, if it differs'),
  OTEL_EXPORTER_OTLP_HEADERS: text('').describe('OpenTelemetry: headers of every export, key=value with commas'),
  OTEL_SDK_DISABLED: flag().describe('OpenTelemetry: send nothing'),
  OTEL_SERVICE_NAME: text('inferd').describe('OpenTelemetry: name of the service'),
  OTEL_RESOURCE_ATTRIBUTES: text('').describe('OpenTelemetry: more about the service, key=value with commas'),
  OTEL_TRACES_EXPORTER: oneOf(['otlp', 'none']).describe('OpenTelemetry: none sends no traces'),
  OTEL_METRICS_EXPORTER: oneOf(['otlp', 'none']).describe('OpenTelemetry: none sends no metrics'),
  OTEL_TRACES_SAMPLER: oneOf(samplers).describe('OpenTelemetry: which requests are traced'),
  OTEL_TRACES_SAMPLER_ARG: share(1).describe('OpenTelemetry: part of the traces that a ratio sampler takes'),
  OTEL_METRIC_EXPORT_INTERVAL: wholeNumber({ min: 100, max: 3_600_000, default: 60_000 }).describe(
    'OpenTelemetry: time between two exports of metrics, in milliseconds',
  ),
  OTEL_BSP_SCHEDULE_DELAY: wholeNumber({ min: 1, max: 600_000, default: 5000 }).describe(
    'OpenTelemetry: how long an ended span may wait for others, in milliseconds',
  ),
  AWS_ACCESS_KEY_ID: optionalText().describe('Key for s3://; unset: the bucket is asked anonymously'),
  AWS_SECRET_ACCESS_KEY: optionalText().describe('Secret of that key'),
  AWS_SESSION_TOKEN: optionalText().describe('Token that temporary keys come with'),
  AWS_REGION: text('us-east-1').describe('Region of the bucket'),
  AWS_ENDPOINT_URL: optionalText().describe('Address of a server that speaks S3; unset: Amazon'),
  AWS_ENDPOINT_URL_S3: optionalText().describe('As AWS_ENDPOINT_URL, and before it'),
  API_KEYS: list().describe(
    'Keys that may do everything, with commas between them; no keys at all: open to every caller',
  ),
  API_KEYS_FILE: optionalText().describe('File of the keys that "inferd keys" makes; changes are followed'),
  DOCS_PUBLIC: flag(true).describe('Show /docs and /openapi.json also without a key'),
  RATE_LIMIT_PER_MINUTE: optionalWholeNumber({ min: 1, max: 1e9 }).describe(
    'Most requests of a key, or of an address without one, in a minute; unset: no limit',
  ),
  MAX_CONCURRENT_PER_CALLER: optionalWholeNumber({ min: 1, max: 1e6 }).describe(
    'Most requests of a key, or of an address without one, at the same time; unset: no limit',
  ),
  STORAGE: flag(true).describe('Keep what outlives the program; 0: no tasks, and no prediction log'),
  DATABASE_URL: optionalText()
    .refine((value) => value === undefined || /^postgres(ql)?:\/\//.test(value), 'expected postgres://…')
    .describe('Postgres, 14 or newer, that keeps it; unset: a database of its own in DATA_DIR'),
  DATA_DIR: text('./data').describe('Folder of the embedded database and of large inputs and results'),
  TASK_CONCURRENCY: wholeNumber({ min: 0, max: 1024, default: 32 }).describe(
    'Background tasks that this process works on at the same time; 0: it only takes them, for others to do',
  ),
  TASK_LEASE_MS: wholeNumber({ min: 300, max: 3_600_000, default: 15_000 }).describe(
    'How long a task belongs to a worker that does not renew its lease any more, in milliseconds',
  ),
  TASK_POLL_MS: wholeNumber({ min: 10, max: 60_000, default: 20_000 }).describe(
    'How often to look for tasks and webhooks that no notice has announced, in milliseconds; low where notices are not delivered, as by PgBouncer in transaction mode',
  ),
  TASK_RESULT_TTL_S: wholeNumber({ min: 1, max: 31_536_000, default: 86_400 }).describe(
    'How long a finished task is kept unless it says so itself, in seconds',
  ),
  TASK_RESULT_MAX_BYTES: wholeNumber({ min: 1024, max: 2 ** 27, default: 2 ** 26 }).describe(
    'Largest result of a task, in bytes of JSON; a task with a larger one fails',
  ),
  TASK_MAX_WAITING: wholeNumber({ min: 1, max: 1e9, default: 1_000_000 }).describe(
    'Most tasks that may wait or run; further ones are refused (503)',
  ),
  TASK_MAX_WAITING_BYTES: wholeNumber({ min: 1024, max: 2 ** 50, default: 10 * 1024 ** 3 }).describe(
    'Most bytes that the inputs of these tasks may have',
  ),
  TASK_MAX_WAITING_PER_CALLER: wholeNumber({ min: 1, max: 1e9, default: 100_000 }).describe(
    'Most tasks of one key that may wait or run; further ones are refused (429)',
  ),
  TASK_MAX_WAITING_BYTES_PER_CALLER: wholeNumber({ min: 1024, max: 2 ** 50, default: 2 * 1024 ** 3 }).describe(
    'Most bytes that the inputs of these tasks may have',
  ),
  WEBHOOK_SECRET: optionalText().describe('Secret that webhooks of tasks are signed with; unset: no webhooks'),
  WEBHOOK_ALLOW_PRIVATE: flag().describe('Let webhooks call addresses of this machine and of private networks'),
  PREDICTIONS: share(1).describe(
    'Part of the predictions that is kept in the storage, from 0 to 1; off: none; model.json may say otherwise',
  ),
  PREDICTIONS_MAX_PER_SECOND: wholeNumber({ min: 1, max: 1e6, default: 200 }).describe(
    'Most predictions that are kept in a second; of more, a fair sample is',
  ),
  PREDICTIONS_REDACT: list().describe('Fields, inputs and outputs that are never kept, with commas between'),
  PREDICTIONS_MAX_INSTANCE_BYTES: wholeNumber({ min: 256, max: 64 * 1024 * 1024, default: 65_536 }).describe(
    'Largest inputs, and outputs, of a prediction that are kept, in bytes of JSON',
  ),
  PREDICTIONS_KEEP_DAYS: wholeNumber({ min: 1, max: 36_500, default: 30 }).describe('Days that predictions are kept'),
  PREDICTIONS_MAX_BYTES: wholeNumber({ min: 1024 * 1024, max: 2 ** 50, default: 10 * 1024 ** 3 }).describe(
    'Most bytes of kept predictions; the oldest go first',
  ),
  REDIS_URL: optionalText().describe(
    'Redis that counts for RATE_LIMIT_PER_MINUTE across instances, and shares the answers of models with a shared cache; unset: each for itself',
  ),
  TRUST_PROXY: list()
    .refine((values) => values.every(isProxy), 'expected addresses, networks, or 1 for every client that connects')
    .describe('Addresses or networks of the proxies whose X-Forwarded-For is believed, with commas; unset: none'),
  TLS_CERT: optionalText().describe(
    'File of the certificate chain, PEM; with TLS_KEY: serve HTTPS; changes are followed',
  ),
  TLS_KEY: optionalText().describe('File of the private key, PEM'),
  CORS_ORIGINS: list().describe('Origins whose pages may call the API, with commas, or *; unset: none'),
  MAX_CONNECTIONS: optionalWholeNumber({ min: 1, max: 1e6 }).describe(
    'Most open connections, of HTTP and gRPC together; unset: three quarters of the files that may be open',
  ),
  MAX_HEADER_BYTES: wholeNumber({ min: 1024, max: 1_048_576, default: 16_384 }).describe(
    'Largest headers of a request, in bytes',
  ),
  HEADERS_TIMEOUT_MS: wholeNumber({ min: 100, max: 3_600_000, default: 15_000 }).describe(
    'Longest time that the headers of a request may take to arrive, in milliseconds',
  ),
  KEEP_ALIVE_TIMEOUT_MS: wholeNumber({ min: 0, max: 3_600_000, default: 75_000 }).describe(
    'How long an idle connection is kept; longer than that of a proxy in front, in milliseconds',
  ),
});

/** Never shown in a message. */
const secrets = new Set([
  'API_KEYS',
  'REDIS_URL',
  'DATABASE_URL',
  'WEBHOOK_SECRET',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'OTEL_EXPORTER_OTLP_HEADERS',
]);

const checkedSchema = environmentSchema.superRefine(({ TLS_CERT, TLS_KEY }, context) => {
  if ((TLS_CERT === undefined) === (TLS_KEY === undefined)) return;
  const missing = TLS_CERT === undefined ? 'TLS_CERT' : 'TLS_KEY';
  context.addIssue({ code: 'custom', path: [missing], message: 'TLS_CERT and TLS_KEY need each other' });
});

const settingsSchema = checkedSchema.transform((environment) => ({
  host: environment.HOST,
  port: environment.PORT ?? environment.AIP_HTTP_PORT ?? environment.SAGEMAKER_BIND_TO_PORT ?? 8080,
  grpcPort: environment.GRPC_PORT,
  modelsDir: environment.MODELS_DIR,
  modelName: environment.MODEL_NAME,
  modelsUri: environment.MODELS_URI,
  modelsCacheDir: environment.MODELS_CACHE_DIR,
  watchModels: environment.WATCH_MODELS,
  allowModelUpload: environment.ALLOW_MODEL_UPLOAD,
  allowCodeModels: environment.ALLOW_CODE_MODELS,
  defaultModel: environment.DEFAULT_MODEL,
  logLevel: environment.LOG_LEVEL,
  logPredictions: {
    share: environment.LOG_PREDICTIONS,
    inputs: environment.LOG_PREDICTION_INPUTS,
    redact: environment.LOG_PREDICTION_REDACT.split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  },
  bodyLimitBytes: environment.BODY_LIMIT_BYTES,
  answerLimitBytes: environment.ANSWER_LIMIT_BYTES,
  ...limitSettings(environment),
  cache: cacheSettings(environment),
  requestTimeoutMs: environment.REQUEST_TIMEOUT_MS,
  uploadTimeoutMs: environment.UPLOAD_TIMEOUT_MS,
  allowNoModels: environment.ALLOW_NO_MODELS,
  faces: environment.FACES,
  pictureThreads: environment.PICTURE_THREADS,
  teiRoutes: environment.TEI_ROUTES,
  metrics: environment.METRICS,
  tritonMetrics: environment.TRITON_METRICS,
  drainDelayMs: environment.DRAIN_DELAY_MS,
  shutdownTimeoutMs: environment.SHUTDOWN_TIMEOUT_MS,
  openTelemetry: openTelemetrySettings(environment),
  vertex: { healthRoute: environment.AIP_HEALTH_ROUTE, predictRoute: environment.AIP_PREDICT_ROUTE },
  sagemakerMultiModel: environment.SAGEMAKER_MULTI_MODEL,
  s3: {
    endpoint: environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL,
    region: environment.AWS_REGION,
    accessKeyId: environment.AWS_ACCESS_KEY_ID,
    secretAccessKey: environment.AWS_SECRET_ACCESS_KEY,
    sessionToken: environment.AWS_SESSION_TOKEN,
  },
  storage: environment.STORAGE,
  databaseUrl: environment.DATABASE_URL,
  dataDir: environment.DATA_DIR,
  tasks: {
    concurrency: environment.TASK_CONCURRENCY,
    leaseMs: environment.TASK_LEASE_MS,
    pollMs: environment.TASK_POLL_MS,
    resultTtlSeconds: environment.TASK_RESULT_TTL_S,
    maxResultBytes: environment.TASK_RESULT_MAX_BYTES,
    quota: {
      ofCaller: {
        tasks: environment.TASK_MAX_WAITING_PER_CALLER,
        bytes: environment.TASK_MAX_WAITING_BYTES_PER_CALLER,
      },
      inAll: { tasks: environment.TASK_MAX_WAITING, bytes: environment.TASK_MAX_WAITING_BYTES },
    },
    webhooks: { secret: environment.WEBHOOK_SECRET, allowPrivate: environment.WEBHOOK_ALLOW_PRIVATE },
  },
  predictions: {
    share: environment.PREDICTIONS,
    maxPerSecond: environment.PREDICTIONS_MAX_PER_SECOND,
    redact: environment.PREDICTIONS_REDACT,
    maxInstanceBytes: environment.PREDICTIONS_MAX_INSTANCE_BYTES,
    keepDays: environment.PREDICTIONS_KEEP_DAYS,
    maxBytes: environment.PREDICTIONS_MAX_BYTES,
  },
  apiKeys: environment.API_KEYS,
  apiKeysFile: environment.API_KEYS_FILE,
  docsPublic: environment.DOCS_PUBLIC,
  rateLimitPerMinute: environment.RATE_LIMIT_PER_MINUTE,
  maxConcurrentPerCaller: environment.MAX_CONCURRENT_PER_CALLER,
  redisUrl: environment.REDIS_URL,
  trustProxy: environment.TRUST_PROXY,
  tlsCert: environment.TLS_CERT,
  tlsKey: environment.TLS_KEY,
  corsOrigins: environment.CORS_ORIGINS,
  maxConnections: environment.MAX_CONNECTIONS,
  maxHeaderBytes: environment.MAX_HEADER_BYTES,
  headersTimeoutMs: environment.HEADERS_TIMEOUT_MS,
  keepAliveTimeoutMs: environment.KEEP_ALIVE_TIMEOUT_MS,
}));

export type Settings = Readonly<
  z.output<typeof settingsSchema> & { remoteSecrets: ReturnType<typeof readRemoteSecrets> }
>;

/**
 * Reads the settings from environment variables; the ones it does not know are none of its business.
 *
 * @throws AppError `SETTINGS_INVALID`, with every bad value named at once
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const result = settingsSchema.safeParse(environment);
  if (result.success) return Object.freeze({ ...result.data, remoteSecrets: readRemoteSecrets(environment) });

  const faults = result.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return {
      location: [name],
      type: issue.code,
      message: `${name}: ${issue.message}, received ${secrets.has(name) ? 'a secret' : JSON.stringify(environment[name])}`,
    };
  });
  throw new AppError('SETTINGS_INVALID', { message: faults.map((fault) => fault.message).join('; '), faults });
}
