import { AppError } from '../errors.ts';
import { decodeUtf8 } from '../http/body/utf8.ts';

/** More fields than any form has; the schema would refuse them one by one. */
const maxFields = 1000;

/**
 * The fields of a form of `application/x-www-form-urlencoded` (https://url.spec.whatwg.org/#urlencoded-parsing); one that
 * comes several times is a list. Unlike browsers it repairs no bytes that are not UTF-8.
 *
 * @throws AppError `MALFORMED_BODY`, or `BODY_TOO_LARGE` for too many fields
 */
export function parseForm(body: Buffer): Record<string, string | string[]> {
  const pairs = readText(body)
    .split('&', maxFields + 1)
    .filter((pair) => pair !== '');
  if (pairs.length > maxFields) {
    throw new AppError('BODY_TOO_LARGE', {
      message: `The form has more than ${maxFields} fields`,
      expected: maxFields,
    });
  }
  const fields = new Map<string, string[]>();
  for (const pair of pairs) {
    const end = pair.indexOf('=');
    const name = unescapeText(end < 0 ? pair : pair.slice(0, end));
    const value = end < 0 ? '' : unescapeText(pair.slice(end + 1));
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else values.push(value);
  }
  return Object.fromEntries(
    [...fields].map(([name, [first = '', ...more]]) => [name, more.length === 0 ? first : [first, ...more]]),
  );
}

function unescapeText(text: string): string {
  if (!text.includes('%')) return text.replaceAll('+', ' ');
  // A character of Latin-1 for each byte.
  const bytes = Buffer.from(text.replaceAll('+', ' ')).toString('latin1');
  const unescaped = bytes.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return readText(Buffer.from(unescaped, 'latin1'));
}

function readText(bytes: Buffer): string {
  try {
    return decodeUtf8(bytes);
  } catch (cause) {
    throw new AppError('MALFORMED_BODY', { message: 'The form is not valid UTF-8', cause });
  }
}
