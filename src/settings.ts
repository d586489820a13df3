import { z } from 'zod';
import { AppError } from './errors.ts';
import { openTelemetrySettings, samplers } from './settings/open-telemetry.ts';

/** A setting that is present but empty counts as unset, as `NAME=` in an `.env` file means it. */
const emptyIsUnset = (value: unknown) => (value === '' ? undefined : value);

const wholeNumber = (bounds: { min: number; max: number; default: number }) =>
  z.preprocess(
    emptyIsUnset,
    z.coerce
      .number('expected a whole number')
      .int('expected a whole number')
      .min(bounds.min)
      .max(bounds.max)
      .default(bounds.default),
  );

const port = () =>
  z.preprocess(emptyIsUnset, z.coerce.number('expected a port').int('expected a port').min(0).max(65_535).optional());

const optionalText = () => z.preprocess(emptyIsUnset, z.string().optional());

const route = () =>
  z.preprocess(emptyIsUnset, z.string().startsWith('/', 'expected a path that begins with "/"').optional());

const text = (fallback: string) => z.preprocess(emptyIsUnset, z.string().default(fallback));

const flagValues: Readonly<Record<string, boolean>> = { '1': true, true: true, '0': false, false: false };

const flag = (fallback = false) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? (flagValues[value.toLowerCase()] ?? emptyIsUnset(value)) : value),
    z.boolean('expected 1 or 0').default(fallback),
  );

const share = (fallback = 0) =>
  z.preprocess(
    (value) => (value === 'off' ? 0 : emptyIsUnset(value)),
    z.coerce.number('expected a number from 0 to 1, or off').min(0).max(1).default(fallback),
  );

const url = () => z.preprocess(emptyIsUnset, z.union([z.url({ protocol: /^https?$/ }), z.literal('')]).default(''));

const oneOf = <const Names extends readonly [string, ...string[]]>(names: Names) =>
  z.preprocess(emptyIsUnset, z.enum(names).default(names[0]));

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
  DEFAULT_MODEL: z
    .preprocess(emptyIsUnset, z.string().optional())
    .describe('Domain or model that POST /predict means; unset: the only one there is'),
  LOG_LEVEL: z
    .preprocess(emptyIsUnset, z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'))
    .describe('Least level that is logged: trace, debug, info, warn, error, fatal or silent'),
  LOG_PREDICTIONS: share().describe('Part of the predictions that are logged, from 0 to 1; off: none'),
  LOG_PREDICTION_INPUTS: flag().describe('Log also what the predictions were made from, and their outputs'),
  LOG_PREDICTION_REDACT: text('').describe('Fields and inputs whose values are never logged, with commas between'),
  BODY_LIMIT_BYTES: wholeNumber({ min: 1024, max: 2 ** 31 - 1, default: 64 * 1024 * 1024 }).describe(
    'Largest request body, in bytes',
  ),
  REQUEST_TIMEOUT_MS: wholeNumber({ min: 1, max: 3_600_000, default: 30_000 }).describe(
    'Deadline of a prediction, in milliseconds',
  ),
  UPLOAD_TIMEOUT_MS: wholeNumber({ min: 1000, max: 3_600_000, default: 120_000 }).describe(
    'Longest time that a request may take to arrive, in milliseconds',
  ),
  ALLOW_NO_MODELS: flag().describe('Be ready also when the repository is empty'),
  METRICS: flag(true).describe('Measure requests for GET /metrics'),
  TRITON_METRICS: flag().describe("Have Triton's names of the figures in GET /metrics too"),
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
});

const settingsSchema = environmentSchema.transform((environment) => ({
  host: environment.HOST,
  port: environment.PORT ?? environment.AIP_HTTP_PORT ?? environment.SAGEMAKER_BIND_TO_PORT ?? 8080,
  grpcPort: environment.GRPC_PORT,
  modelsDir: environment.MODELS_DIR,
  modelName: environment.MODEL_NAME,
  modelsUri: environment.MODELS_URI,
  modelsCacheDir: environment.MODELS_CACHE_DIR,
  watchModels: environment.WATCH_MODELS,
  allowModelUpload: environment.ALLOW_MODEL_UPLOAD,
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
  requestTimeoutMs: environment.REQUEST_TIMEOUT_MS,
  uploadTimeoutMs: environment.UPLOAD_TIMEOUT_MS,
  allowNoModels: environment.ALLOW_NO_MODELS,
  metrics: environment.METRICS,
  tritonMetrics: environment.TRITON_METRICS,
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
}));

export type Settings = Readonly<z.output<typeof settingsSchema>>;

/**
 * Reads the settings from environment variables; the ones it does not know are none of its business.
 *
 * @throws AppError `SETTINGS_INVALID`, with every bad value named at once
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const result = settingsSchema.safeParse(environment);
  if (result.success) return Object.freeze(result.data);

  const faults = result.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return {
      location: [name],
      type: issue.code,
      message: `${name}: ${issue.message}, received ${JSON.stringify(environment[name])}`,
    };
  });
  throw new AppError('SETTINGS_INVALID', { message: faults.map((fault) => fault.message).join('; '), faults });
}
