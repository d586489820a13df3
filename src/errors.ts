/**
 * What went wrong, free of any protocol. Each protocol maps kinds to its own status codes.
 *
 * - `malformed`: cannot be read at all (not JSON, broken tensors, a bad header)
 * - `invalid`: well-formed, but refused by a schema or by the model's signature
 * - `overloaded`: could be served later; carries `retryAfterSeconds`
 */
export type ErrorKind =
  | 'malformed'
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'not_acceptable'
  | 'conflict'
  | 'too_large'
  | 'headers_too_large'
  | 'too_slow'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'overloaded'
  | 'upstream'
  | 'timeout'
  | 'cancelled'
  | 'unimplemented'
  | 'internal';

const errorTable = {
  // The request itself
  MALFORMED_REQUEST: { kind: 'malformed', title: 'The request cannot be read' },
  HEADERS_TOO_LARGE: { kind: 'headers_too_large', title: 'The headers are too large' },
  REQUEST_TOO_SLOW: { kind: 'too_slow', title: 'The request took too long to arrive' },
  MALFORMED_JSON: { kind: 'malformed', title: 'The body is not valid JSON' },
  MALFORMED_BODY: { kind: 'malformed', title: 'The body cannot be read' },
  MALFORMED_HEADER: { kind: 'malformed', title: 'A header has an invalid value' },
  MALFORMED_TENSOR: { kind: 'malformed', title: 'A tensor does not match its description' },
  VALIDATION_FAILED: { kind: 'invalid', title: 'The request does not fit the schema' },
  SIGNATURE_MISMATCH: { kind: 'invalid', title: "The inputs do not fit the model's signature" },
  ROUTE_NOT_FOUND: { kind: 'not_found', title: 'There is no such route' },
  METHOD_NOT_ALLOWED: { kind: 'method_not_allowed', title: 'The route does not take this method' },
  BODY_TOO_LARGE: { kind: 'too_large', title: 'The body is too large' },
  BODIES_TOO_LARGE: { kind: 'overloaded', title: 'The bodies of all requests are too large' },
  UNSUPPORTED_MEDIA_TYPE: { kind: 'unsupported_media_type', title: 'The media type is not supported' },
  PICTURE_TOO_LARGE: { kind: 'too_large', title: 'The picture is too large' },
  ENCODER_FAILED: { kind: 'overloaded', title: 'What encodes the input died' },
  PICTURE_UNREADABLE: { kind: 'invalid', title: 'The picture cannot be decoded' },
  NOT_IMPLEMENTED: { kind: 'unimplemented', title: 'The server cannot do this' },
  UNAUTHENTICATED: { kind: 'unauthenticated', title: 'The request has no valid API key' },
  FORBIDDEN: { kind: 'forbidden', title: 'The API key does not allow this' },
  RATE_LIMITED: { kind: 'rate_limited', title: 'The caller has sent too many requests' },
  TOO_MANY_AT_ONCE: { kind: 'rate_limited', title: 'The caller has too many requests under way' },
  CLIENT_GONE: { kind: 'cancelled', title: 'The client closed the connection' },

  // Models
  MODEL_NOT_FOUND: { kind: 'not_found', title: 'There is no such model' },
  VERSION_NOT_FOUND: { kind: 'not_found', title: 'The model has no such version' },
  DEFAULT_MODEL_UNKNOWN: { kind: 'not_found', title: 'There is no default model' },
  MODEL_NOT_READY: { kind: 'overloaded', title: 'The model is not ready' },
  DIMENSIONS_UNSUPPORTED: { kind: 'invalid', title: 'The embedding cannot have these dimensions' },
  FACE_NOT_FOUND: { kind: 'not_found', title: 'The model has no such face' },
  TEXT_TOO_LONG: { kind: 'invalid', title: 'The text has too many tokens' },
  FACE_INVALID: { kind: 'internal', title: 'The typed face of the model is invalid' },
  ALREADY_LOADED: { kind: 'conflict', title: 'The model is loaded already' },
  OUT_OF_MEMORY: { kind: 'overloaded', title: 'There is not enough memory for the model' },
  MODEL_REFUSED_INPUT: { kind: 'invalid', title: 'The model refused the input' },
  OUTPUTS_TOO_LARGE: { kind: 'invalid', title: 'The input makes the model give too large outputs' },
  INPUT_KILLED_RUNNER: { kind: 'invalid', title: 'The input ended the runner of the model' },
  ANSWER_TOO_LARGE: { kind: 'too_large', title: 'The answer is too large' },
  MODEL_LOAD_FAILED: { kind: 'internal', title: 'The model could not be loaded' },
  MODEL_UPLOAD_DISABLED: { kind: 'forbidden', title: 'Models cannot be uploaded' },
  MODELS_SOURCE_UNAVAILABLE: { kind: 'internal', title: 'The source of the models cannot be reached' },
  MODELS_FETCH_FAILED: { kind: 'internal', title: 'The models could not be fetched' },
  MODEL_IN_USE: { kind: 'conflict', title: 'Other models are made of the model' },
  MANIFEST_INVALID: { kind: 'internal', title: 'The model manifest is invalid' },

  // The engine
  QUEUE_FULL: { kind: 'overloaded', title: 'Too many requests are waiting for the model' },
  DEADLINE_UNREACHABLE: { kind: 'overloaded', title: 'The deadline cannot be met' },
  DEADLINE_EXCEEDED: { kind: 'timeout', title: 'The deadline passed' },
  RUNNER_DIED: { kind: 'overloaded', title: 'The runner of the model died' },
  SHUTTING_DOWN: { kind: 'overloaded', title: 'The server is shutting down' },

  // Models made of models, and models elsewhere
  CODE_MODELS_DISABLED: { kind: 'forbidden', title: 'Models of own code cannot be loaded' },
  GRAPH_INVALID: { kind: 'internal', title: 'The graph is invalid' },
  GRAPH_NOT_FOUND: { kind: 'not_found', title: 'The model is not made of others' },
  STEP_MISMATCH: { kind: 'internal', title: 'A step gave what the next one does not take' },
  QUORUM_NOT_REACHED: { kind: 'overloaded', title: 'Too few of the members answered' },
  NO_ROUTE: { kind: 'invalid', title: 'No rule of the graph takes the request' },
  REMOTE_INVALID: { kind: 'internal', title: 'The remote model is described wrongly' },
  REMOTE_UNREACHABLE: { kind: 'overloaded', title: 'The remote server cannot be reached' },
  REMOTE_FAILED: { kind: 'upstream', title: 'The remote server gave no usable answer' },

  // What is kept
  STORAGE_UNAVAILABLE: { kind: 'overloaded', title: 'What is stored cannot be reached' },
  STORAGE_FULL: { kind: 'overloaded', title: 'The storage has no room left' },

  // Background tasks
  TASK_NOT_FOUND: { kind: 'not_found', title: 'There is no such task' },
  TASK_FINISHED: { kind: 'conflict', title: 'The task is finished' },
  TASK_WITHOUT_RESULT: { kind: 'conflict', title: 'The task has no result' },
  TASK_ABANDONED: { kind: 'internal', title: 'The workers of the task died' },
  TASK_RESULT_TOO_LARGE: { kind: 'too_large', title: 'The result of the task is too large' },
  TASK_QUOTA_EXCEEDED: { kind: 'rate_limited', title: 'The caller has too many tasks that wait' },
  TASKS_FULL: { kind: 'overloaded', title: 'Too many tasks wait' },
  TASK_UNKNOWN_WORK: { kind: 'not_found', title: 'No worker can do the task' },
  IDEMPOTENCY_CONFLICT: { kind: 'conflict', title: 'The idempotency key was used for something else' },
  WEBHOOK_REFUSED: { kind: 'invalid', title: 'The webhook cannot be called' },

  // Predictions
  PREDICTION_NOT_FOUND: { kind: 'not_found', title: 'There is no such prediction' },
  REFERENCE_NOT_FOUND: { kind: 'not_found', title: 'There is nothing to compare with' },
  DISTRIBUTION_INVALID: { kind: 'internal', title: 'The reference distribution of the model is invalid' },

  // The program
  DOMAIN_INVALID: { kind: 'internal', title: 'A domain cannot be served as it is defined' },
  SETTINGS_INVALID: { kind: 'internal', title: 'The settings are invalid' },
  INTERNAL: { kind: 'internal', title: 'Internal error' },
} as const satisfies Record<string, { kind: ErrorKind; title: string }>;

export type ErrorCode = keyof typeof errorTable;

/** Every code with its kind and its title. */
export const errorCodes: Readonly<Record<ErrorCode, { readonly kind: ErrorKind; readonly title: string }>> = errorTable;

/** One fault of an input: where it is, which kind of fault, and a sentence for people. */
export interface Fault {
  readonly location: readonly (string | number)[];
  readonly type: string;
  readonly message: string;
}

export interface AppErrorOptions {
  /** What happened, with the names involved. Shown to clients unless the kind is `internal`. */
  readonly message: string;
  /** The value that was refused. */
  readonly received?: unknown;
  /** What would have been accepted. */
  readonly expected?: unknown;
  /** Every fault of the input, for errors of the kinds `malformed` and `invalid`; of more than a hundred, the first are enough. */
  readonly faults?: readonly Fault[];
  /** How many faults the input has. @default the number of `faults` */
  readonly faultCount?: number;
  /** When trying again may help, in whole seconds. */
  readonly retryAfterSeconds?: number;
  /** The step of a graph that failed; one of a graph within the graph as `outer.inner`. */
  readonly step?: string;
  readonly cause?: unknown;
}

/** So many faults of one input are told; how many there are besides is said as a number. */
export const mostFaults = 100;

/** An error quotes what it received, and that can be as long as a body. */
const mostCharacters = { message: 8_000, name: 200 };

/** The one error class: a code of the table, and what happened this time. Whatever it is about, it stays small. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly received: unknown;
  readonly expected: unknown;
  /** The first hundred at most. */
  readonly faults: readonly Fault[];
  /** How many there are, also of those that are not told. */
  readonly faultCount: number;
  readonly retryAfterSeconds: number | undefined;
  /** The step of a graph that failed. */
  readonly step: string | undefined;

  constructor(code: ErrorCode, options: AppErrorOptions) {
    super(cut(options.message, mostCharacters.message), 'cause' in options ? { cause: options.cause } : undefined);
    const { faults = [], faultCount = faults.length } = options;
    this.code = code;
    this.received = options.received;
    this.expected = options.expected;
    this.faults = faults.slice(0, mostFaults).map(cutFault);
    this.faultCount = faultCount;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.step = options.step;
  }

  get kind(): ErrorKind {
    return errorTable[this.code].kind;
  }

  get title(): string {
    return errorTable[this.code].title;
  }
}

function cutFault(fault: Fault): Fault {
  return {
    location: fault.location.map((step) => (typeof step === 'string' ? cut(step, mostCharacters.name) : step)),
    type: fault.type,
    message: cut(fault.message, mostCharacters.message / 4),
  };
}

/** The beginning of a text, with a sign that there was more. */
function cut(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters).toWellFormed()}…`;
}

/** The same error, with its faults where the request holds what they are about. */
export function relocateFaults(error: AppError, locate: (location: Fault['location']) => Fault['location']): AppError {
  const { code, message, received, expected, faultCount, retryAfterSeconds, step } = error;
  const faults = error.faults.map((fault) => ({ ...fault, location: locate(fault.location) }));
  return new AppError(code, {
    message,
    received,
    expected,
    faults,
    faultCount,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(step !== undefined && { step }),
    cause: error,
  });
}

/** A path from the root of the file system, but for its last name: in quotation marks it may have spaces. */
const foldersInQuotes = /(["'])\/[^"'\n]*\/([^"'/\n]*)\1/g;
const folders = /(?<=^|[\s"'`(=:,[])\/(?:[^\s"'`/:]+\/)+/g;

/** The same text with the last name alone of every absolute path: how the machine is laid out is for the log. */
export function hideFolders(text: string): string {
  return text.replace(foldersInQuotes, '$1$2$1').replace(folders, '');
}

/** The same error, as {@link hideFolders} shows it; its cause is the whole one. */
export function withoutFolders(error: AppError): AppError {
  const { code, message, received, expected, faults, retryAfterSeconds, step } = error;
  return new AppError(code, {
    message: hideFolders(message),
    received,
    expected,
    faults,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(step !== undefined && { step }),
    cause: error,
  });
}

/** Wraps whatever was thrown, once, at the edge; an {@link AppError} passes as it is. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new AppError('INTERNAL', { message, cause: thrown });
}
