import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { softmax } from '../../../src/faces/image-classification/classify.ts';
import { answerSpans } from '../../../src/faces/question-answering/answer-spans.ts';
import { BestSpans } from '../../../src/faces/question-answering/best-spans.ts';
import { float32 } from '../../../src/tensor/tensor.ts';
import type { WindowedText } from '../../../src/texts/encode-windows.ts';
import { windowRanges } from '../../../src/texts/windows.ts';
import { finish } from '../../../src/timing/sliced-work.ts';

const classId = 101;

/** A context of tokens of two letters each, behind a question of one token. */
function windowed(count: number, room: number, stride: number): WindowedText {
  const offsets = Int32Array.from({ length: 2 * count }, (_, index) => 2 * Math.floor((index + 1) / 2));
  const ids = new Int32Array(count).fill(7);
  const windows = windowRanges(count, { room, stride, side: 'right' }).map(({ start, end }) => ({
    start,
    end,
    at: 3,
    ids: Int32Array.of(classId, 5, 102, ...ids.subarray(start, end), 102),
    typeIds: undefined,
  }));
  return { tokens: { ids, count, offsets }, windows, count: count + 4, isTruncated: false };
}

/** Every span of every window, as the formula says, by brute force. */
function allSpans(text: WindowedText, starts: readonly number[][], ends: readonly number[][], most: number) {
  const found = new Map<string, { start: number; end: number; probability: number }>();
  for (const [row, { start, end, at }] of text.windows.entries()) {
    const count = end - start;
    const probabilities = (logits: readonly number[] = []) =>
      softmax(Float64Array.of(...logits.slice(at, at + count).map(Math.fround), Math.fround(logits[0] ?? 0)));
    const [first, last] = [probabilities(starts[row]), probabilities(ends[row])];
    for (let from = 0; from < count; from++) {
      for (let to = from; to < Math.min(count, from + most); to++) {
        const span = { start: 2 * (start + from), end: 2 * (start + to) + 2 };
        const probability = (first[from] ?? 0) * (last[to] ?? 0);
        const key = `${span.start}-${span.end}`;
        if (probability > (found.get(key)?.probability ?? -1)) found.set(key, { ...span, probability });
      }
    }
  }
  return [...found.values()].sort((a, b) => b.probability - a.probability);
}

describe('the spans of an answer', () => {
  const cases = fc
    .record({
      count: fc.nat(25),
      room: fc.integer({ min: 1, max: 12 }),
      shared: fc.nat(11),
      most: fc.integer({ min: 1, max: 6 }),
      topK: fc.integer({ min: 1, max: 8 }),
      paddingSide: fc.constantFrom('left', 'right'),
    })
    .chain((made) => {
      const text = windowed(made.count, made.room, Math.min(made.shared, made.room - 1));
      const row = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 16, maxLength: 16 });
      const rows = fc.array(row, { minLength: text.windows.length, maxLength: text.windows.length });
      return fc.record({ made: fc.constant(made), text: fc.constant(text), starts: rows, ends: rows });
    });

  it('are the most probable of all windows, each once', () => {
    fc.assert(
      fc.property(cases, ({ made: { most, topK, paddingSide }, text, starts, ends }) => {
        const padded = (rows: readonly (readonly number[])[]) => {
          const length = 20;
          const data = new Float32Array(rows.length * length).fill(99);
          for (const [row, logits] of rows.entries()) {
            const used = text.windows[row]?.ids.length ?? 0;
            data.set(logits.slice(0, used), row * length + (paddingSide === 'left' ? length - used : 0));
          }
          return float32([rows.length, length], data);
        };
        const options = { paddingSide, classId, maxAnswerTokens: most, topK };
        const rows = text.windows.map((window, row) => ({ window, row }));
        const { spans } = finish(answerSpans(padded(starts), padded(ends), options)(text, rows));
        const expected = allSpans(text, starts, ends, most).slice(0, topK);
        expect(spans.map(({ probability }) => probability)).toEqual(expected.map(({ probability }) => probability));
        expect(new Set(spans.map(({ start, end }) => `${start}-${end}`)).size).toBe(spans.length);
      }),
    );
  });

  it('are none where the model gives no numbers', () => {
    const text = windowed(2, 5, 0);
    const nothing = float32([1, 6], new Float32Array(6).fill(Number.NaN));
    const read = answerSpans(nothing, nothing, { paddingSide: 'right', classId, maxAnswerTokens: 3, topK: 2 });
    expect(finish(read(text, [{ row: 0, window: text.windows[0] ?? fail() }])).spans).toEqual([]);
  });

  it('are refused where the outputs have another form', () => {
    const text = windowed(2, 5, 0);
    const options = { paddingSide: 'right', classId, maxAnswerTokens: 3, topK: 2 } as const;
    const short = float32([1, 3], new Float32Array(3));
    const rows = [{ row: 0, window: text.windows[0] ?? fail() }];
    expect(() => finish(answerSpans(short, short, options)(text, rows))).toThrow('expected floats [texts, tokens]');
    const cube = float32([1, 6, 2], new Float32Array(12));
    expect(() => answerSpans(cube, cube, options)).toThrow('expected floats [texts, tokens]');
  });
});

function fail(): never {
  throw new Error('no window');
}

describe('the best spans', () => {
  it('have the first of equally probable ones first', () => {
    const best = new BestSpans(2);
    for (const start of [0, 1, 2]) best.offer({ start, end: 3, probability: 0.5 });
    expect(best.spans.map(({ start }) => start)).toEqual([0, 1]);
  });

  it('have one span once, as probable as it is at most', () => {
    const best = new BestSpans(3);
    best.offer({ start: 0, end: 1, probability: 0.3 });
    best.offer({ start: 2, end: 3, probability: 0.4 });
    best.offer({ start: 0, end: 1, probability: 0.5 });
    best.offer({ start: 0, end: 1, probability: 0.1 });
    expect(best.spans).toEqual([
      { start: 0, end: 1, probability: 0.5 },
      { start: 2, end: 3, probability: 0.4 },
    ]);
  });
});
