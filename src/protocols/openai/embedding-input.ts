import { z } from 'zod';
import { AppError, relocateFaults } from '../../errors.ts';

/** As many as OpenAI takes. */
const mostInputs = 2048;
/** Of a request; several times as many as OpenAI takes. */
const mostIds = 2 ** 20;
/** Models take ids of 32 bits, of which the first is the sign. */
const greatestId = 2 ** 31 - 1;

type Ids = readonly number[];

const ids = { type: 'array', items: { type: 'integer', minimum: 0, maximum: greatestId }, minItems: 1 } as const;

/** A text or token ids, or a list of such. */
export type EmbeddingInput = string | Ids | readonly (string | Ids)[];

/** Checked by hand: a schema of lists of lists works for seconds on a body of many megabytes, and nobody else is answered. */
export const EmbeddingInputs = z
  .custom<EmbeddingInput>(
    isInput,
    `expected a text, or a list of 1 to ${mostInputs} texts, or the token ids of a text (0 to ${greatestId}), or a list of 1 to ${mostInputs} such lists; at most ${mostIds} ids in all`,
  )
  .meta({
    description: 'A text, texts, the token ids of a text without special ones, or those of several',
    anyOf: [
      { type: 'string' },
      { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: mostInputs },
      ids,
      { type: 'array', items: ids, minItems: 1, maxItems: mostInputs },
    ],
  });

function isInput(input: unknown): input is EmbeddingInput {
  if (typeof input === 'string') return true;
  if (!Array.isArray(input) || input.length === 0) return false;
  const list: readonly unknown[] = input;
  if (typeof list[0] === 'number') return areIds(list, mostIds);
  if (list.length > mostInputs) return false;
  if (typeof list[0] === 'string') return list.every((text) => typeof text === 'string');
  let left = mostIds;
  return list.every((one) => {
    if (!Array.isArray(one) || !areIds(one, left)) return false;
    left -= one.length;
    return true;
  });
}

function areIds(list: readonly unknown[], most: number): boolean {
  return list.length > 0 && list.length <= most && list.every(isId);
}

function isId(id: unknown): boolean {
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= greatestId;
}

/** What the face of an embedder is asked, of what OpenAI's route is. */
export function instancesOf(input: EmbeddingInput): readonly object[] {
  if (typeof input === 'string') return [{ text: input }];
  if (isIds(input)) return [{ ids: input }];
  return input.map((one) => (typeof one === 'string' ? { text: one } : { ids: one }));
}

function isIds(input: Exclude<EmbeddingInput, string>): input is Ids {
  return typeof input[0] === 'number';
}

/** Moves faults, whose locations begin with the index of an instance, to where the request holds it. */
export function atInput(thrown: unknown, input: EmbeddingInput): unknown {
  if (!(thrown instanceof AppError)) return thrown;
  const isOne = typeof input === 'string' || isIds(input);
  return relocateFaults(thrown, (location) => {
    const [index] = location;
    if (typeof index !== 'number') return location;
    return isOne ? ['body', 'input'] : ['body', 'input', index];
  });
}
