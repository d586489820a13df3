import { hash } from 'node:crypto';
import { tensorFromBytes, tensorToBytes } from '../../../tensor/binary-codec.ts';
import { isDataType } from '../../../tensor/data-type.ts';
import type { Tensor, TensorSpec, Tensors } from '../../../tensor/tensor.ts';
import type { AnswerForm } from './shared-answers.ts';

const magic = 'inferd-answer-1\n';
const digestBytes = 32;
const decoder = new TextDecoder('utf-8', { fatal: true });

/** What stands before the sections of the outputs. */
interface Header {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** An answer as it is kept elsewhere: a digest of its key and of all that follows, a header in JSON, and the sections of the outputs. */
export function answerToBytes(key: string, answer: Tensors): Uint8Array | undefined {
  const sections: Uint8Array[] = [];
  const headers: Header[] = [];
  for (const [name, tensor] of Object.entries(answer)) {
    // Their UTF-8 would be that of other texts.
    if (tensor.datatype === 'BYTES' && !tensor.data.every((text) => text.isWellFormed())) return undefined;
    const section = tensorToBytes(tensor);
    headers.push({ name, datatype: tensor.datatype, shape: tensor.shape, bytes: section.byteLength });
    sections.push(section);
  }
  const body = Buffer.concat([Buffer.from(`${magic}${JSON.stringify(headers)}\n`), ...sections]);
  return Buffer.concat([digest(key, body), body]);
}

/** @returns undefined for bytes that are no answer of that form to that key */
export function answerFromBytes(key: string, bytes: Uint8Array, form: AnswerForm): Tensors | undefined {
  try {
    return readAnswer(key, bytes, form);
  } catch {
    return undefined;
  }
}

function readAnswer(key: string, bytes: Uint8Array, { outputs, isRow }: AnswerForm): Tensors | undefined {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset + digestBytes, bytes.byteLength - digestBytes);
  if (!digest(key, body).equals(bytes.subarray(0, digestBytes))) return undefined;
  const end = body.indexOf('\n', magic.length);
  if (body.toString('latin1', 0, magic.length) !== magic || end < 0) return undefined;
  const headers: unknown = JSON.parse(decoder.decode(body.subarray(magic.length, end)));
  if (!Array.isArray(headers) || headers.length !== outputs.length) return undefined;
  const answer: Record<string, Tensor> = {};
  let offset = end + 1;
  for (const spec of outputs) {
    const header = headers.find((candidate: { name?: unknown } | null) => candidate?.name === spec.name);
    const index = headers.indexOf(header);
    // Sections follow each other in the order of their headers.
    offset = end + 1 + sizeOf(headers.slice(0, index));
    if (!isHeader(header) || !fits(header, spec, isRow)) return undefined;
    const section = body.subarray(offset, offset + header.bytes);
    const { datatype, shape } = header;
    answer[spec.name] = tensorFromBytes({ datatype, shape: [...shape], section }, spec.name);
  }
  return end + 1 + sizeOf(headers) === body.byteLength ? answer : undefined;
}

function digest(key: string, body: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(key, 'latin1'), body]), 'buffer');
}

function sizeOf(headers: readonly unknown[]): number {
  let bytes = 0;
  for (const header of headers) bytes += isHeader(header) ? header.bytes : Number.NaN;
  return bytes;
}

function isHeader(value: unknown): value is Header {
  if (typeof value !== 'object' || value === null) return false;
  const { name, datatype, shape, bytes }: Partial<Record<keyof Header, unknown>> = value;
  return (
    typeof name === 'string' &&
    typeof datatype === 'string' &&
    Array.isArray(shape) &&
    shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0) &&
    Number.isSafeInteger(bytes) &&
    Number(bytes) >= 0
  );
}

/** A spec without dimensions stands for any rank. */
function fits({ datatype, shape }: Header, spec: TensorSpec, isRow: boolean): boolean {
  if (datatype !== spec.datatype || !isDataType(datatype)) return false;
  if (isRow && shape[0] !== 1) return false;
  if (spec.shape.length === 0) return true;
  if (spec.shape.length !== shape.length) return false;
  return spec.shape.every((expected, axis) => expected === -1 || expected === shape[axis] || (isRow && axis === 0));
}
