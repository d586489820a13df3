import { MIMEType } from 'node:util';
import { AppError } from '../../errors.ts';
import { isMissing, isNumber, readTruth } from '../../tabular/cell-value.ts';
import { parseCsv } from '../../tabular/csv.ts';
import type { DataFrame } from './data-frame.ts';

/**
 * The frame of a body of `text/csv` (RFC 4180). Its first row has the names of the columns if the media type says
 * `header=present`, not if it says `header=absent`; if it says neither, unless every cell of it is a value: a number, a
 * missing value, or true or false.
 *
 * @param contentType with the parameters `header` and `charset`
 * @throws AppError `MALFORMED_BODY`, `UNSUPPORTED_MEDIA_TYPE` or `VALIDATION_FAILED`
 */
export function frameFromCsv(body: Uint8Array, contentType: string): DataFrame {
  const { header, charset } = parametersOf(contentType);
  const [first, ...others] = parseCsv(decodeText(body, charset));
  if (first === undefined) throw refuse('The CSV is empty');
  const isHeader = header === undefined ? !first.every(isValue) : header === 'present';
  const rows = isHeader ? others : [first, ...others];
  for (const [index, row] of rows.entries()) {
    if (row.length === first.length) continue;
    throw refuse(`Row ${index} of the data frame has ${row.length} cells; expected ${first.length} cells`);
  }
  return { columns: isHeader ? first : undefined, rows, isText: true };
}

function isValue(cell: string): boolean {
  return isMissing(cell) || isNumber(cell) || readTruth(cell) !== undefined;
}

function parametersOf(contentType: string): { header: 'present' | 'absent' | undefined; charset: string } {
  const { params } = readMediaType(contentType);
  const header = params.get('header')?.toLowerCase();
  if (header !== undefined && header !== 'present' && header !== 'absent') {
    throw unsupported(contentType, 'text/csv takes header=present or header=absent');
  }
  return { header, charset: params.get('charset') ?? 'utf-8' };
}

function readMediaType(contentType: string): MIMEType {
  try {
    return new MIMEType(contentType);
  } catch (cause) {
    throw unsupported(contentType, 'The media type cannot be read', cause);
  }
}

function decodeText(body: Uint8Array, charset: string): string {
  const decoder = decoderOf(charset);
  try {
    return decoder.decode(body);
  } catch (cause) {
    throw new AppError('MALFORMED_BODY', { message: `The body is not valid ${decoder.encoding.toUpperCase()}`, cause });
  }
}

function decoderOf(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch (cause) {
    throw unsupported(charset, 'The character set is unknown', cause);
  }
}

function unsupported(received: string, reason: string, cause?: unknown): AppError {
  return new AppError('UNSUPPORTED_MEDIA_TYPE', { message: `${reason}; received ${received}`, received, cause });
}

function refuse(message: string): AppError {
  return new AppError('VALIDATION_FAILED', {
    message,
    faults: [{ location: ['body'], type: 'invalid_value', message }],
  });
}
