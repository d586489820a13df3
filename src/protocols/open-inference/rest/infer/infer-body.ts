import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../../../../errors.ts';
import { malformedHeader } from '../../../../http/terms/malformed-header.ts';
import { parseJson } from '../../../../tensor/json/parse-json.ts';
import { slicedFromBytes } from '../../../../tensor/sliced-json/read-sliced-json.ts';
import { inTurns } from '../../../../timing/turns.ts';
import { readSlicedExactJson } from '../../../exact-json-parser.ts';
import { type InferenceRequest, readInferenceRequest } from './infer-request.ts';

/** The header that says where the JSON of a body ends and its binary part begins. */
export const jsonLengthHeader = 'inference-header-content-length';

/** The body of an inference request: JSON and binary part, or the bytes of the only input. */
export type InferBody =
  | { readonly kind: 'json'; readonly request: InferenceRequest; readonly binary: Uint8Array }
  | { readonly kind: 'raw'; readonly bytes: Uint8Array };

/**
 * Reads the body of an inference request as `Inference-Header-Content-Length` says. The binary part is a view.
 *
 * @param bytes the body, not compressed any more
 * @param maxTextBytes most bytes of one text in the JSON
 * @returns a promise for large JSON
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 * @throws AppError `MALFORMED_HEADER`, `MALFORMED_JSON` or `MALFORMED_BODY`
 */
export function readInferBody(
  headers: IncomingHttpHeaders,
  bytes: Uint8Array,
  maxTextBytes: number,
): InferBody | Promise<InferBody> {
  const jsonBytes = jsonLength(headers) ?? bytes.byteLength;
  if (jsonBytes > bytes.byteLength) {
    throw malformedHeader(jsonLengthHeader, jsonBytes, `at most ${bytes.byteLength}, the length of the body`);
  }
  if (jsonBytes === 0 && headers[jsonLengthHeader] !== undefined) return { kind: 'raw', bytes };
  if (jsonBytes === 0) throw new AppError('MALFORMED_JSON', { message: 'The body is empty; expected JSON' });
  const json = bytes.subarray(0, jsonBytes);
  const binary = bytes.subarray(jsonBytes);
  if (jsonBytes >= slicedFromBytes) return readLargeBody(json, binary, maxTextBytes);
  return { kind: 'json', request: readInferenceRequest(parseJson(json)), binary };
}

async function readLargeBody(json: Uint8Array, binary: Uint8Array, maxTextBytes: number): Promise<InferBody> {
  const parsed = await inTurns(readSlicedExactJson(json, maxTextBytes));
  return { kind: 'json', request: readInferenceRequest(parsed), binary };
}

/**
 * The length of the JSON, in bytes, of the body that is not compressed; undefined if all of it is JSON.
 *
 * @throws AppError `MALFORMED_HEADER` unless it is digits
 */
export function jsonLength(headers: IncomingHttpHeaders): number | undefined {
  const value = headers[jsonLengthHeader];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value);
  throw malformedHeader(jsonLengthHeader, value, 'a whole number from 0');
}
