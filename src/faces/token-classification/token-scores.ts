import { AppError } from '../../errors.ts';
import { floatValues } from '../../tensor/float-values.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { WindowedText } from '../../texts/encode-windows.ts';
import type { Side } from '../../texts/text-limits.ts';
import { softmax } from '../image-classification/classify.ts';
import type { WindowRow } from '../text-input/window-rows.ts';
import { bestOf, type ScoredToken } from './entities.ts';

export interface TokenScoresOptions {
  readonly paddingSide: Side;
  /** The token for what the tokenizer does not know, which is a word of its own. */
  readonly unknownId: number | undefined;
  /** Whether tokens say that they go on a word; else one does that has no blank before it. */
  readonly marksSubwords: boolean;
}

/** The tokens of a window of a text, cut by code points, with the probabilities of their classes. */
export type ScoredTokens = (
  text: WindowedText,
  row: WindowRow,
  slice: (start: number, end: number) => string,
) => readonly ScoredToken[];

/**
 * Reads an output `[rows, tokens, classes]`.
 *
 * @throws AppError `SIGNATURE_MISMATCH` for an output of another form
 */
export function scoredTokens(
  output: Tensor,
  { paddingSide, unknownId, marksSubwords }: TokenScoresOptions,
): ScoredTokens {
  const [rows = 0, length = 0, classes = 0] = output.shape;
  const values = floatValues(output);
  const mismatch = () => {
    const message = `The output with the classes is ${output.datatype} [${output.shape.join(',')}], expected floats [texts, tokens, classes]`;
    return new AppError('SIGNATURE_MISMATCH', { message, received: output.shape });
  };
  if (values === undefined || output.shape.length !== 3) throw mismatch();
  return ({ tokens }, { row, window }, slice) => {
    if (row >= rows || window.ids.length > length) throw mismatch();
    const padding = paddingSide === 'left' ? length - window.ids.length : 0;
    const first = row * length + padding + window.at;
    return Array.from({ length: window.end - window.start }, (_, index) => {
      const token = window.start + index;
      const from = (first + index) * classes;
      const best = bestOf(values, from, classes);
      const start = tokens.offsets?.[2 * token] ?? 0;
      const end = tokens.offsets?.[2 * token + 1] ?? 0;
      const goesOn = marksSubwords
        ? tokens.lengths?.[token] !== end - start
        : start > 0 && !slice(start - 1, start + 1).includes(' ');
      return {
        best,
        probability: probabilityOf(values, from, classes, best),
        probabilities: () => softmax(Float64Array.from(values.subarray(from, from + classes))),
        start,
        end,
        isSubword: goesOn && tokens.ids[token] !== unknownId,
      };
    });
  };
}

/** That of the greatest by the softmax, without those of the others: there are many tokens. */
function probabilityOf(logits: ArrayLike<number>, from: number, classes: number, best: number): number {
  let sum = 0;
  for (let index = from; index < from + classes; index++)
    sum += Math.exp((logits[index] ?? 0) - (logits[from + best] ?? 0));
  return 1 / sum;
}
