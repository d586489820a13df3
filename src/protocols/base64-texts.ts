import type { JsonElement } from '../tensor/json/json-output.ts';
import { malformedTensor, quote } from '../tensor/malformed-tensor.ts';
import { LongList } from '../tensor/sliced-json/long-list.ts';
import type { TensorSpec } from '../tensor/tensor.ts';
import { isJsonObject } from './named-inputs.ts';

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Whether a value is a text as TensorFlow Serving writes bytes: an object whose only member is `b64`. */
export function isBase64(value: unknown): value is { readonly b64: unknown } {
  return isJsonObject(value) && Object.hasOwn(value, 'b64') && Object.keys(value).length === 1;
}

/**
 * Nested lists of texts with every `{"b64": "…"}` decoded.
 *
 * @throws AppError `MALFORMED_TENSOR` for what is no standard base64, or no UTF-8
 */
export function decodeTexts(value: unknown, spec: TensorSpec): unknown {
  if (spec.datatype !== 'BYTES') return value;
  if (Array.isArray(value)) return value.map((element) => decodeTexts(element, spec));
  if (value instanceof LongList) {
    return new LongList(value.pieces.map((piece) => piece.map((element) => decodeTexts(element, spec))));
  }
  return isBase64(value) ? decodeText(value.b64, spec.name) : value;
}

/** A text as TensorFlow Serving writes it in outputs whose name ends in `_bytes`. */
export function encodeText(element: JsonElement): { readonly b64: string } {
  return { b64: Buffer.from(String(element)).toString('base64') };
}

function decodeText(encoded: unknown, name: string): string {
  const isEncoded = typeof encoded === 'string' && base64.test(encoded);
  if (isEncoded) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(encoded, 'base64'));
    } catch {
      // Told below: models take texts, and these bytes are none.
    }
  }
  throw malformedTensor(name, {
    path: ['b64'],
    type: 'invalid_type',
    message: `b64 is ${quote(encoded)}, not ${isEncoded ? 'UTF-8 in base64' : 'standard base64'}`,
    received: encoded,
    expected: 'UTF-8 in standard base64',
  });
}
