import { wholeNumber } from './values.ts';

/** What one request, or all of them together, may take: see the table of bounds in docs/security.md. */
export const limitVariables = {
  JSON_LIMIT_BYTES: wholeNumber({ min: 1024, max: 2 ** 29, default: 16 * 1024 * 1024 }).describe(
    'Largest JSON, form, or text in JSON, in bytes; tensors in JSON may have BODY_LIMIT_BYTES',
  ),
  COMPRESSION_RATIO_LIMIT: wholeNumber({ min: 1, max: 100_000, default: 200 }).describe(
    'How many times as large a compressed body may become; 1 MiB it may always have',
  ),
  BODIES_LIMIT_BYTES: wholeNumber({ min: 1024, max: 2 ** 50, default: 512 * 1024 * 1024 }).describe(
    'Most bytes of the large bodies of all requests that are not answered yet; unpacked ones count as such',
  ),
  TABLE_LIMIT_CELLS: wholeNumber({ min: 1, max: 2 ** 31, default: 4 * 1024 * 1024 }).describe(
    'Most cells of a data frame: its rows times its columns',
  ),
  OUTPUT_LIMIT_BYTES: wholeNumber({ min: 1024, max: 2 ** 31 - 1, default: 256 * 1024 * 1024 }).describe(
    'Largest outputs that a run may give for one request, in bytes, unless model.json says otherwise (maxOutputBytes)',
  ),
  GRPC_MAX_STREAMS: wholeNumber({ min: 1, max: 1e6, default: 256 }).describe(
    'Most calls of one gRPC connection at the same time; clients keep further ones until there is room',
  ),
  SHADOW_MAX_IN_FLIGHT: wholeNumber({ min: 1, max: 100_000, default: 64 }).describe(
    'Most copies of requests that shadows have or wait for at the same time, of all models together',
  ),
  ANSWER_STALL_TIMEOUT_MS: wholeNumber({ min: 100, max: 3_600_000, default: 60_000 }).describe(
    'How long a client may read nothing of its answer before its connection is closed, in milliseconds',
  ),
};

interface LimitEnvironment {
  readonly JSON_LIMIT_BYTES: number;
  readonly COMPRESSION_RATIO_LIMIT: number;
  readonly BODIES_LIMIT_BYTES: number;
  readonly TABLE_LIMIT_CELLS: number;
  readonly OUTPUT_LIMIT_BYTES: number;
  readonly GRPC_MAX_STREAMS: number;
  readonly SHADOW_MAX_IN_FLIGHT: number;
  readonly ANSWER_STALL_TIMEOUT_MS: number;
}

export function limitSettings(environment: LimitEnvironment) {
  return {
    jsonLimitBytes: environment.JSON_LIMIT_BYTES,
    compressionRatioLimit: environment.COMPRESSION_RATIO_LIMIT,
    bodiesLimitBytes: environment.BODIES_LIMIT_BYTES,
    tableLimitCells: environment.TABLE_LIMIT_CELLS,
    outputLimitBytes: environment.OUTPUT_LIMIT_BYTES,
    grpcMaxStreams: environment.GRPC_MAX_STREAMS,
    shadowMaxInFlight: environment.SHADOW_MAX_IN_FLIGHT,
    answerStallTimeoutMs: environment.ANSWER_STALL_TIMEOUT_MS,
  };
}
