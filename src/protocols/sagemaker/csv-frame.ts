import { MIMEType } from 'node:util';
import { AppError } from '../../errors.ts';
import { isMissing, isNumber, readTruth } from '../../tabular/cell-value.ts';
import { readCsv } from '../../tabular/read-csv.ts';
import type { SlicedWork } from '../../timing/sliced-work.ts';
import { invalidBody } from '../invalid-body.ts';
import { checkColumns, type DataFrame, type FrameTarget } from './data-frame.ts';

/**
 * The frame of a body of `text/csv` (RFC 4180). Its first row has the names of the columns if the media type says
 * `header=present`, not if it says `header=absent`; if it says neither, unless every cell of it is a value: a number, a
 * missing value, or true or false.
 *
 * @param contentType with the parameters `header` and `charset`
 * Rows and columns are held against the model and its bounds as they are read.
 *
 * @throws AppError `MALFORMED_BODY`, `UNSUPPORTED_MEDIA_TYPE`, `VALIDATION_FAILED`, `BODY_TOO_LARGE`, `SIGNATURE_MISMATCH`
 *   or `MALFORMED_TENSOR`
 */
export function* frameFromCsv(
  body: Uint8Array,
  contentType: string,
  { signature, bounds }: FrameTarget,
): SlicedWork<DataFrame> {
  const { header, charset } = parametersOf(contentType);
  const text = yield* decodeText(body, charset);
  const rows: string[][] = [];
  let first: readonly string[] | undefined;
  let columns: readonly string[] | undefined;
  const addRow = (row: string[]) => {
    if (first === undefined) {
      first = row;
      if (header === undefined ? !row.every(isValue) : header === 'present') columns = row;
      bounds.checkNames(columns?.length ?? 0);
      bounds.check(1, row.length);
      checkColumns(columns, row.length, { signature });
      if (columns !== undefined) return;
    }
    if (row.length !== first.length) {
      throw invalidBody(`Row ${rows.length} of the data frame has ${row.length} cells; expected ${first.length} cells`);
    }
    rows.push(row);
    bounds.check(rows.length, row.length);
  };
  yield* readCsv(text, addRow, (cells) => bounds.check(1, cells));
  if (first === undefined) throw invalidBody('The CSV is empty');
  return { columns, rows, isText: true };
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

/** So many bytes are decoded before others may go on. */
const bytesPerStep = 2 ** 20;

function* decodeText(body: Uint8Array, charset: string): SlicedWork<string> {
  const decoder = decoderOf(charset);
  let text = '';
  try {
    for (let start = 0; start < body.byteLength; start += bytesPerStep) {
      text += decoder.decode(body.subarray(start, start + bytesPerStep), { stream: true });
      yield undefined;
    }
    return text + decoder.decode();
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
