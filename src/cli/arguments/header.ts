import { z } from 'zod';

/** Headers as people write them, `Name: value`, by their names. */
export const headers = z
  .array(z.string().regex(/^[^\s:]+\s*:/, 'expected Name: value'))
  .default([])
  .transform((texts): Readonly<Record<string, string>> => Object.fromEntries(texts.map(readHeader)));

function readHeader(text: string): [name: string, value: string] {
  const colon = text.indexOf(':');
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}
