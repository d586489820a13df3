import { AppError } from '../../errors.ts';

const quoteMark = 0x22;
const backslash = 0x5c;

/** Counts the brackets and braces that open, those within texts too, and gives up beyond `most`. */
export function countOpenings(text: string, most: number): number {
  let openings = 0;
  for (const opening of ['[', '{']) {
    for (let at = text.indexOf(opening); at !== -1 && openings <= most; at = text.indexOf(opening, at + 1)) openings++;
  }
  return openings;
}

/**
 * Refuses a text whose lists and objects lie deeper in each other than allowed. Most bodies have fewer of them than that
 * in all, and are not read.
 *
 * @throws AppError `MALFORMED_JSON`
 */
export function checkNesting(text: string, maxNesting: number): void {
  if (countOpenings(text, maxNesting) <= maxNesting) return;
  let nesting = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quoteMark) {
      at = endOfText(text, at);
    } else if (code === 0x5b || code === 0x7b) {
      nesting++;
      if (nesting > maxNesting) throw tooDeep(maxNesting, at);
    } else if (code === 0x5d || code === 0x7d) {
      nesting--;
    }
  }
}

/** The index of the quotation mark that closes the text which the one at `start` opens; the end if none does. */
function endOfText(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quoteMark) return at;
    if (code === backslash) at++;
  }
  return text.length;
}

function tooDeep(maxNesting: number, position: number): AppError {
  const message = `The body is not valid JSON: more than ${maxNesting} levels of nesting at position ${position}`;
  return new AppError('MALFORMED_JSON', { message, expected: `at most ${maxNesting} levels` });
}
