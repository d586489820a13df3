import { z } from 'zod';
import { AppError } from './errors.ts';

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

const text = (fallback: string) => z.preprocess(emptyIsUnset, z.string().default(fallback));

const flagValues: Readonly<Record<string, boolean>> = { '1': true, true: true, '0': false, false: false };

const flag = () =>
  z.preprocess(
    (value) => (typeof value === 'string' ? (flagValues[value.toLowerCase()] ?? emptyIsUnset(value)) : value),
    z.boolean('expected 1 or 0').default(false),
  );

/** The environment variables that inferd reads, with their defaults. `.env.example` lists the same. */
export const environmentSchema = z.object({
  HOST: text('0.0.0.0').describe('Address to listen on'),
  PORT: wholeNumber({ min: 0, max: 65_535, default: 8080 }).describe('Port to listen on; 0 takes a free one'),
  MODELS_DIR: text('./models').describe('Folder of the model repository'),
  WATCH_MODELS: flag().describe('Follow the folder: load what is new or changed, unload what is gone'),
  ALLOW_MODEL_UPLOAD: flag().describe('Let a load request bring its own manifest and model files'),
  DEFAULT_MODEL: z
    .preprocess(emptyIsUnset, z.string().optional())
    .describe('Domain or model that POST /predict means; unset: the only one there is'),
  LOG_LEVEL: z
    .preprocess(emptyIsUnset, z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'))
    .describe('Least level that is logged: trace, debug, info, warn, error, fatal or silent'),
  BODY_LIMIT_BYTES: wholeNumber({ min: 1024, max: 2 ** 31 - 1, default: 64 * 1024 * 1024 }).describe(
    'Largest request body, in bytes',
  ),
  REQUEST_TIMEOUT_MS: wholeNumber({ min: 1, max: 3_600_000, default: 30_000 }).describe(
    'Deadline of a prediction, in milliseconds',
  ),
  SHUTDOWN_TIMEOUT_MS: wholeNumber({ min: 100, max: 3_600_000, default: 30_000 }).describe(
    'Longest time that a stop may wait for requests in flight, in milliseconds',
  ),
});

const settingsSchema = environmentSchema.transform((environment) => ({
  host: environment.HOST,
  port: environment.PORT,
  modelsDir: environment.MODELS_DIR,
  watchModels: environment.WATCH_MODELS,
  allowModelUpload: environment.ALLOW_MODEL_UPLOAD,
  defaultModel: environment.DEFAULT_MODEL,
  logLevel: environment.LOG_LEVEL,
  bodyLimitBytes: environment.BODY_LIMIT_BYTES,
  requestTimeoutMs: environment.REQUEST_TIMEOUT_MS,
  shutdownTimeoutMs: environment.SHUTDOWN_TIMEOUT_MS,
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
