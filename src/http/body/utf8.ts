import { isUtf8 } from 'node:buffer';

const byteOrderMark = 0xfeff;

/**
 * The text of bytes of UTF-8, without a byte order mark.
 *
 * @throws TypeError for bytes that are none: repaired, a request would be another one than was sent
 */
export function decodeUtf8(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new TypeError('The bytes are not UTF-8');
  const text = bytes.toString();
  return text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text;
}
