import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { AppError, relocateFaults } from '../errors.ts';
import type { AnyDomain, FileInput } from './define-domain.ts';

type Location = readonly (string | number)[];

/** The instances of a request. */
export interface Instances {
  readonly values: readonly unknown[];
  /** Where the request holds the place `within` the instance of that index. */
  locate(index: number, within: Location): Location;
}

/** What the body of a route for one instance, or for many, looks like as JSON. */
export type BodyShape = 'one' | 'many';

/**
 * The instances of a request whose body has been parsed and validated, whatever its media type.
 *
 * @throws AppError `VALIDATION_FAILED` if files are missing or too many
 */
export async function readInstances(
  request: FastifyRequest,
  domain: AnyDomain,
  shape: BodyShape,
  bodyLimitBytes: number,
): Promise<Instances> {
  const { file } = domain;
  if (file !== undefined && request.isMultipart()) return fromFiles(request, file, shape, bodyLimitBytes);
  if (file !== undefined && Buffer.isBuffer(request.body)) {
    const bytes = request.body;
    return { values: [file.toInstance(bytes)], locate: () => ['body'] };
  }
  if (shape === 'one') return { values: [request.body], locate: (_index, within) => ['body', ...within] };

  const { instances } = request.body as { instances: readonly unknown[] };
  return { values: instances, locate: (index, within) => ['body', 'instances', index, ...within] };
}

async function fromFiles(
  request: FastifyRequest,
  file: FileInput<z.output<z.ZodType>>,
  shape: BodyShape,
  bodyLimitBytes: number,
): Promise<Instances> {
  const uploads = await readUploads(request, file.field, bodyLimitBytes).catch((thrown) => {
    throw formFault(thrown);
  });
  const location = ['body', file.field];
  if (uploads.length === 0) {
    throw fileFault(location, 'missing', `Expected a file in the multipart field "${file.field}"`);
  }
  if (shape === 'one' && uploads.length > 1) {
    throw fileFault(location, 'too_big', `Expected one file, received ${uploads.length}; predict/batch takes several`);
  }
  return { values: uploads.map((bytes) => file.toInstance(bytes)), locate: (index) => [...location, index] };
}

/** The parser of forms throws bare errors for a bad boundary and for a form that ends too early; others have a code. */
function formFault(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || 'code' in thrown) return thrown;
  return new AppError('MALFORMED_BODY', { message: `The form cannot be read: ${thrown.message}`, cause: thrown });
}

/** Reads the files one after the other, so that no more than the limit and one chunk is ever held. */
async function readUploads(request: FastifyRequest, field: string, bodyLimitBytes: number): Promise<Uint8Array[]> {
  const uploads: Uint8Array[] = [];
  let totalBytes = 0;
  for await (const part of request.parts({ limits: { fileSize: bodyLimitBytes } })) {
    if (part.type !== 'file' || part.fieldname !== field) {
      throw fileFault(['body', part.fieldname], 'unrecognized_keys', `Unknown field; expected files in "${field}"`);
    }
    const bytes = await part.toBuffer();
    totalBytes += bytes.length;
    if (totalBytes > bodyLimitBytes) {
      throw new AppError('BODY_TOO_LARGE', { message: `The files are larger than ${bodyLimitBytes} bytes together` });
    }
    uploads.push(bytes);
  }
  return uploads;
}

function fileFault(location: Location, type: string, message: string): AppError {
  return new AppError('VALIDATION_FAILED', { message, faults: [{ location, type, message }] });
}

/** Moves faults, whose locations begin with the index of an instance, to where the request holds that instance. */
export function locateFaults(thrown: unknown, instances: Instances): unknown {
  if (!(thrown instanceof AppError) || thrown.faults.length === 0) return thrown;
  return relocateFaults(thrown, (location) => {
    const [index, ...within] = location;
    return typeof index === 'number' ? instances.locate(index, within) : location;
  });
}
