import { AppError } from '../../errors.ts';
import { floatValues } from '../../tensor/float-values.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { WindowedText } from '../../texts/encode-windows.ts';
import type { Side } from '../../texts/text-limits.ts';
import type { SlicedWork } from '../../timing/sliced-work.ts';
import { softmax } from '../image-classification/classify.ts';
import type { WindowRow } from '../text-input/window-rows.ts';
import { BestSpans, type Span } from './best-spans.ts';

export interface AnswerSpansOptions {
  readonly paddingSide: Side;
  /** The token that stands for there being no answer; undefined where the tokenizer names none. */
  readonly classId: number | undefined;
  readonly maxAnswerTokens: number;
  /** Most answers. */
  readonly topK: number;
}

/** The best answers of a text, and how probable it is that there is none; undefined where no token stands for that. */
export interface AnswerSpans {
  readonly spans: readonly Span[];
  readonly noAnswer: number | undefined;
}

/**
 * Reads the outputs `[rows, tokens]` with what speaks for each token being the first, and the last, of the answer. Of each
 * window, the softmax goes over the tokens of the context and the one that stands for no answer; a span is as probable as
 * its first token times its last. Source: `QuestionAnsweringPipeline` of transformers 4.
 *
 * @throws AppError `SIGNATURE_MISMATCH` for outputs of another form
 */
export function answerSpans(
  starts: Tensor,
  ends: Tensor,
  options: AnswerSpansOptions,
): (text: WindowedText, rows: readonly WindowRow[]) => SlicedWork<AnswerSpans> {
  const { paddingSide, classId, maxAnswerTokens, topK } = options;
  const readStarts = logitRows(starts);
  const readEnds = logitRows(ends);
  return function* (text, rows) {
    const best = new BestSpans(topK);
    let noAnswer: number | undefined;
    for (const { row, window } of rows) {
      if (row > 0) yield;
      const { ids, at, start, end } = window;
      const classAt = classPosition(window, classId);
      const count = end - start;
      const probabilities = (read: ReturnType<typeof logitRows>) => {
        const logits = read(row, ids.length, paddingSide);
        const kept = new Float64Array(classAt === undefined ? count : count + 1);
        kept.set(logits.subarray(at, at + count));
        if (classAt !== undefined) kept[count] = logits[classAt] ?? 0;
        return softmax(kept);
      };
      const [first, last] = [probabilities(readStarts), probabilities(readEnds)];
      if (classAt !== undefined) {
        noAnswer = Math.min(noAnswer ?? Number.POSITIVE_INFINITY, (first[count] ?? 0) * (last[count] ?? 0));
      }
      for (let from = 0; from < count; from++) {
        const most = Math.min(count, from + maxAnswerTokens);
        for (let to = from; to < most; to++) {
          const probability = (first[from] ?? 0) * (last[to] ?? 0);
          if (best.wants(probability)) best.offer({ ...placeOf(text, start + from, start + to), probability });
        }
      }
      yield;
    }
    return { spans: best.spans, noAnswer };
  };
}

function placeOf({ tokens: { offsets } }: WindowedText, first: number, last: number) {
  return { start: offsets?.[2 * first] ?? 0, end: offsets?.[2 * last + 1] ?? 0 };
}

/** Where among the special tokens of a row the one for no answer is. */
function classPosition({ ids, at, start, end }: WindowRow['window'], classId: number | undefined): number | undefined {
  if (classId === undefined) return undefined;
  const before = ids.subarray(0, at).indexOf(classId);
  if (before >= 0) return before;
  const after = ids.indexOf(classId, at + end - start);
  return after < 0 ? undefined : after;
}

/** The logits of a row, without padding. */
function logitRows(output: Tensor): (row: number, tokens: number, paddingSide: Side) => Float32Array | Float64Array {
  const values = floatValues(output);
  const [rows = 0, length = 0] = output.shape;
  const mismatch = () => {
    const message = `An output with the places of answers is ${output.datatype} [${output.shape.join(',')}], expected floats [texts, tokens]`;
    return new AppError('SIGNATURE_MISMATCH', { message, received: output.shape });
  };
  if (values === undefined || values.length !== rows * length) throw mismatch();
  return (row, tokens, paddingSide) => {
    if (row >= rows || tokens > length) throw mismatch();
    const from = row * length + (paddingSide === 'left' ? length - tokens : 0);
    return values.subarray(from, from + tokens);
  };
}
