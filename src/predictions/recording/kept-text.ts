import { readExactJson } from '../../tensor/json/exact-json.ts';
import { mayRound } from '../../tensor/json/parse-json.ts';

/** JSON of inputs or outputs as they were kept; null where nothing was. Parsing and writing it again would lose digits. */
export type KeptText = string | null;

/** The value of a kept text, with a `bigint` for a whole number that no double holds. */
export function readKept(text: KeptText): unknown {
  if (text === null) return null;
  return mayRound(text) ? readExactJson(text) : JSON.parse(text);
}
