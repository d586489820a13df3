import type { PairTypes, TokenTemplate } from './messages.ts';

/** Ids and type ids of an encoding. */
export interface EncodedIds {
  readonly ids: readonly number[];
  readonly typeIds: readonly number[];
}

/** Encodes a text, or two, with special tokens or without. */
export type EncodeIds = (text: string, pair: string | undefined, special: boolean) => Promise<EncodedIds>;

/** Texts of which at least one has tokens in every language. */
const probes: readonly (readonly [string, string])[] = [
  ['good', 'bad news'],
  ['a', 'b c'],
  ['1', '2 3'],
  ['가', '나 다'],
];

/**
 * Finds out where a tokenizer puts its special tokens, by encoding known texts with them and without. This holds for every
 * post-processor that there is, since all of them put the same tokens around any texts.
 *
 * @throws Error when no known text is found in its own encoding
 */
export async function learnTemplate(encode: EncodeIds): Promise<TokenTemplate> {
  for (const [first, second] of probes) {
    const [a, b] = [await encode(first, undefined, false), await encode(second, undefined, false)];
    if (a.ids.length === 0 || b.ids.length === 0) continue;
    const single = await encode(first, undefined, true);
    const at = indexOfIds(single.ids, a.ids, 0);
    if (at < 0) continue;
    const both = await encode(first, second, true).catch(() => undefined);
    return {
      single: [single.ids.slice(0, at), single.ids.slice(at + a.ids.length)],
      singleTypes: typesOf(single, at, a.ids.length),
      ...(both === undefined ? { pair: undefined, pairTypes: undefined } : pairOf(both, a.ids, b.ids)),
    };
  }
  throw new Error('no text comes out of it as it goes in');
}

function typesOf({ typeIds }: EncodedIds, at: number, length: number): TokenTemplate['singleTypes'] {
  if (typeIds.every((type) => type === 0)) return undefined;
  return { before: typeIds.slice(0, at), text: typeIds[at] ?? 0, after: typeIds.slice(at + length) };
}

function pairOf(
  { ids, typeIds }: EncodedIds,
  a: readonly number[],
  b: readonly number[],
): Pick<TokenTemplate, 'pair' | 'pairTypes'> {
  const first = indexOfIds(ids, a, 0);
  const second = first < 0 ? -1 : indexOfIds(ids, b, first + a.length);
  if (first < 0 || second < 0) return { pair: undefined, pairTypes: undefined };
  const split = (of: readonly number[]) =>
    [of.slice(0, first), of.slice(first + a.length, second), of.slice(second + b.length)] as const;
  const [before, between, after] = split(typeIds);
  const pairTypes: PairTypes = { before, first: typeIds[first] ?? 0, between, second: typeIds[second] ?? 0, after };
  return { pair: split(ids), pairTypes };
}

/** Where the ids stand in a row in others, from an index on; -1 when they do not. */
function indexOfIds(ids: readonly number[], wanted: readonly number[], from: number): number {
  for (let start = from; start + wanted.length <= ids.length; start++) {
    if (wanted.every((id, index) => ids[start + index] === id)) return start;
  }
  return -1;
}
