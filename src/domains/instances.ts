import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { AppError, relocateFaults } from '../errors.ts';
import { bodyTooLarge } from '../http/body/body-too-large.ts';
import { readContentEncoding } from '../http/body/content-encoding.ts';
import type { AnyDomain, FileInput } from './define-domain.ts';

type Location = readonly (string | number)[];

/** Of a body of predict/batch. */
export const mostInstances = 1000;

const maxFiles = 64;
const maxTexts = 64;

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
  if (readContentEncoding(request.headers['content-encoding']) !== undefined) {
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', { message: 'A form of multipart/form-data cannot be compressed' });
  }
  const uploads = await readUploads(request, file.field, bodyLimitBytes).catch((thrown) => {
    throw formFault(thrown, bodyLimitBytes);
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

/** What the parser of forms says of its limits names none of them. */
const formLimits: Readonly<Record<string, string>> = {
  FST_FILES_LIMIT: `${maxFiles} files`,
  FST_FIELDS_LIMIT: `${maxTexts} texts`,
  FST_PARTS_LIMIT: `${maxFiles + maxTexts} parts`,
};

/** The parser of forms throws bare errors for a bad boundary and for a form that ends too early; others have a code. */
function formFault(thrown: unknown, bodyLimitBytes: number): unknown {
  if (!(thrown instanceof Error)) return thrown;
  if ('code' in thrown) {
    const limit = formLimits[String(thrown.code)];
    if (thrown.code === 'FST_REQ_FILE_TOO_LARGE') return bodyTooLarge(bodyLimitBytes, thrown);
    if (limit === undefined) return thrown;
    return new AppError('BODY_TOO_LARGE', {
      message: `The form has more than ${limit}`,
      expected: limit,
      cause: thrown,
    });
  }
  return new AppError('MALFORMED_BODY', { message: `The form cannot be read: ${thrown.message}`, cause: thrown });
}

/** The least that a form may have, so that nobody makes the server work on thousands of parts. */
export const multipartLimits = { files: maxFiles, fields: maxTexts, parts: maxFiles + maxTexts, fieldSize: 64 * 1024 };

/** Reads the files one after the other, and leaves texts of other names out as other servers do, so that no more than the limit and one chunk is ever held. */
async function readUploads(request: FastifyRequest, field: string, bodyLimitBytes: number): Promise<Uint8Array[]> {
  const uploads: Uint8Array[] = [];
  let totalBytes = 0;
  for await (const part of request.parts({ limits: { fileSize: bodyLimitBytes } })) {
    if (part.type !== 'file') {
      if (part.fieldname !== field) continue;
      throw fileFault(
        ['body', field],
        'invalid_type',
        `Expected a file in "${field}", received a text without a file name`,
      );
    }
    if (part.fieldname !== field) {
      throw fileFault(['body', part.fieldname], 'unrecognized_keys', `Unknown field; expected files in "${field}"`);
    }
    const bytes = await part.toBuffer();
    totalBytes += bytes.length;
    if (totalBytes > bodyLimitBytes) {
      throw bodyTooLarge(bodyLimitBytes);
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
