import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AnyDomain } from '../../domains/define-domain.ts';
import { type BodyShape, type Instances, mostInstances, readInstances } from '../../domains/instances.ts';
import { AppError, type Fault } from '../../errors.ts';
import { validationError } from '../../http/answer/zod-compilers.ts';
import { nearestName } from '../../names/nearest-name.ts';

/** A body that was read and not validated yet, so that the version that answers can do so, whichever it will be. */
export interface ReceivedBody {
  readonly shape: BodyShape;
  /** As it came, with more than the face knows. */
  readonly query: Readonly<Record<string, unknown>>;
  readonly content: { readonly json: unknown } | { readonly files: readonly Uint8Array[] };
}

/**
 * Reads the body of a request.
 *
 * @throws AppError `VALIDATION_FAILED` if files are missing or too many
 */
export async function receiveBody(
  request: FastifyRequest,
  domain: AnyDomain,
  shape: BodyShape,
  bodyLimitBytes: number,
): Promise<ReceivedBody> {
  const query = queryOf(request);
  const isFile = domain.file !== undefined && (request.isMultipart() || Buffer.isBuffer(request.body));
  if (!isFile) return { shape, query, content: { json: request.body } };
  const files: Uint8Array[] = [];
  const keep = {
    ...domain.file,
    toInstance: (bytes: Uint8Array) => {
      files.push(bytes);
      return bytes;
    },
  };
  await readInstances(request, { ...domain, file: keep }, shape, bodyLimitBytes);
  return { shape, query, content: { files } };
}

export function queryOf({ query }: FastifyRequest): Readonly<Record<string, unknown>> {
  return typeof query === 'object' && query !== null ? { ...query } : {};
}

/**
 * The instances of a body, as the domain takes them.
 *
 * @throws AppError `VALIDATION_FAILED` with every fault, and what the domain says of a file
 */
export function instancesOf(domain: AnyDomain, { shape, content }: ReceivedBody): Instances {
  const { file, input } = domain;
  if ('files' in content) {
    if (file === undefined) throw new AppError('UNSUPPORTED_MEDIA_TYPE', { message: 'The model takes no files now' });
    const location = ['body', file.field];
    const values = content.files.map((bytes) => file.toInstance(bytes));
    return { values, locate: (index) => (shape === 'one' ? location : [...location, index]) };
  }
  if (shape === 'one') {
    const value = validate(domain, input, content.json);
    return { values: [value], locate: (_index, within) => ['body', ...within] };
  }
  const batch = z.strictObject({ instances: z.array(input).min(1).max(mostInstances) });
  const { instances } = validate(domain, batch, content.json);
  return { values: instances, locate: (index, within) => ['body', 'instances', index, ...within] };
}

function validate<Schema extends z.ZodType>(domain: AnyDomain, schema: Schema, json: unknown): z.output<Schema> {
  const result = schema.safeParse(json, { reportInput: true });
  if (result.success) return result.data;
  throw withNearest(validationError(result.error, ['body']), domain);
}

/** Says which field an unknown one was most likely meant to be. */
function withNearest(error: AppError, { input }: AnyDomain): AppError {
  if (!(input instanceof z.ZodObject)) return error;
  const names = Object.keys(input.shape);
  const faults = error.faults.map((fault): Fault => {
    const name = fault.type === 'unrecognized_keys' ? fault.location.at(-1) : undefined;
    const nearest = typeof name === 'string' ? nearestName(name, names) : undefined;
    // One of its own stands where it does not belong: beside the instances of a batch.
    return nearest === undefined || nearest === name
      ? fault
      : { ...fault, message: `Unknown field; the nearest is ${JSON.stringify(nearest)}` };
  });
  const { code, message, faultCount, cause } = error;
  return new AppError(code, { message, faults, faultCount, cause });
}
