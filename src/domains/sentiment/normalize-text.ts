// White space and control characters; U+0000 is among them, because the model takes it for padding.
const blanks = /[\s\p{Cc}]+/gu;

/** NFKC, then lower case, then each run of white space and control characters as one space, none at the ends. */
export function normalizeText(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(blanks, ' ').replace(/^ | $/g, '');
}

/** The Unicode code points of the normalised text. */
export function toCodes(text: string): number[] {
  return Array.from(normalizeText(text), (character) => character.codePointAt(0) ?? 0);
}
