import { z } from 'zod';

/** What is expected of a text that the database is asked to keep or to look for, for people. */
export const storableExpectation = 'Expected text without U+0000 and lone surrogates';

/** Whether Postgres takes a text: none with U+0000 or half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** A text from a client that the database gets. */
export function storableText(maxLength: number) {
  return z.string().max(maxLength).refine(isStorable, storableExpectation);
}
