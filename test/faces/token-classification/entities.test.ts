import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Aggregation, entitiesOf, type ScoredToken } from '../../../src/faces/token-classification/entities.ts';
import { entityLabels } from '../../../src/faces/token-classification/entity-labels.ts';
import { mergeEntities } from '../../../src/faces/token-classification/merge-entities.ts';
import { windowRanges } from '../../../src/texts/windows.ts';

const bio = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC'];

/** A token whose classes are as probable as that. */
function token(probabilities: readonly number[], start: number, end: number, isSubword = false): ScoredToken {
  const best = probabilities.indexOf(Math.max(...probabilities));
  const probability = probabilities[best] ?? 0;
  return { best, probability, probabilities: () => Float64Array.from(probabilities), start, end, isSubword };
}

/** Tokens of a length of 1 each, sure of their labels; a label with `+` goes on the word before. */
function tokensOf(labels: readonly string[], written: string): ScoredToken[] {
  return written.split(' ').map((word, start) =>
    token(
      labels.map((label) => (label === word.replace('+', '') ? 0.8 : 0.1)),
      start,
      start + 1,
      word.startsWith('+'),
    ),
  );
}

function entities(tokens: readonly ScoredToken[], aggregation: Aggregation, labels = bio, ignore = ['O']) {
  return entitiesOf(tokens, { aggregation, labels, readLabel: entityLabels(labels), ignore: new Set(ignore) });
}

const spans = (written: string, aggregation: Aggregation, labels = bio, ignore?: string[]) =>
  entities(tokensOf(labels, written), aggregation, labels, ignore).map(
    ({ label, start, end }) => `${label} ${start}-${end}`,
  );

describe('entities of BIO labels', () => {
  it.each([
    ['none', 'O B-PER I-PER O', ['B-PER 1-2', 'I-PER 2-3']],
    ['simple', 'O B-PER I-PER O', ['PER 1-3']],
    ['simple', 'B-PER B-PER', ['PER 0-1', 'PER 1-2']],
    ['simple', 'I-PER I-PER', ['PER 0-2']],
    ['simple', 'B-PER I-LOC I-LOC', ['PER 0-1', 'LOC 1-3']],
    ['simple', 'B-PER O I-PER', ['PER 0-1', 'PER 2-3']],
    ['simple', 'B-PER +O I-PER', ['PER 0-1', 'PER 2-3']],
    ['first', 'B-PER +O I-PER', ['PER 0-3']],
    ['first', 'O +B-PER I-PER', ['PER 2-3']],
    ['first', '+B-PER I-PER', ['PER 0-2']],
  ] as const)('%s: %s', (aggregation, written, expected) => {
    expect(spans(written, aggregation)).toEqual(expected);
  });

  it('leave out other labels where they are told to', () => {
    expect(spans('O B-PER B-LOC', 'simple', bio, ['PER'])).toEqual(['O 0-1', 'LOC 2-3']);
    expect(spans('O B-PER B-LOC', 'none', bio, ['B-LOC'])).toEqual(['O 0-1', 'B-PER 1-2']);
  });

  it('are as probable as their tokens on the mean', () => {
    const first = token([0.1, 0.8, 0.1, 0, 0], 0, 1);
    const surer = token([0, 0, 1, 0, 0], 1, 2);
    expect(entities([first, surer], 'simple')).toEqual([{ label: 'PER', probability: 0.9, start: 0, end: 2 }]);
  });
});

describe('a word of several tokens', () => {
  const word: ScoredToken[] = [
    token([0.4, 0.6, 0], 0, 2),
    token([0.1, 0.2, 0.7], 2, 3, true),
    token([0.65, 0.3, 0.05], 3, 5, true),
  ];
  const labels = ['O', 'A', 'B'];
  it.each([
    ['first', { label: 'A', probability: 0.6 }],
    ['max', { label: 'B', probability: 0.7 }],
    ['average', { label: 'O', probability: expect.closeTo(0.38333) }],
  ] as const)('has by %s one label', (aggregation, expected) => {
    expect(entities(word, aggregation, labels, [])).toEqual([{ ...expected, start: 0, end: 5 }]);
  });
});

describe('labels that say where entities end', () => {
  const bioes = ['O', 'B-PER', 'I-PER', 'E-PER', 'S-PER'];
  const bilou = ['O', 'B-PER', 'I-PER', 'L-PER', 'U-PER'];
  const bmes = ['O', 'B-PER', 'M-PER', 'E-PER', 'S-PER'];
  it.each([
    [bioes, 'B-PER I-PER E-PER S-PER', ['PER 0-3', 'PER 3-4']],
    [bioes, 'S-PER S-PER', ['PER 0-1', 'PER 1-2']],
    [bioes, 'B-PER E-PER I-PER', ['PER 0-2', 'PER 2-3']],
    [bilou, 'B-PER L-PER U-PER B-PER I-PER', ['PER 0-2', 'PER 2-3', 'PER 3-5']],
    [bmes, 'B-PER M-PER E-PER M-PER', ['PER 0-3', 'PER 3-4']],
  ])('%s: %s', (labels, written, expected) => {
    expect(spans(written, 'simple', labels)).toEqual(expected);
  });

  it('are names like others where none begins an entity', () => {
    const labels = ['O', 'E-MAIL', 'S-BAHN'];
    expect(spans('E-MAIL E-MAIL S-BAHN', 'simple', labels)).toEqual(['MAIL 0-2', 'BAHN 2-3']);
  });

  it('keep hyphens that are their own', () => {
    expect(spans('B-DATE-OF-BIRTH I-DATE-OF-BIRTH', 'simple', ['O', 'B-DATE-OF-BIRTH', 'I-DATE-OF-BIRTH'])).toEqual([
      'DATE-OF-BIRTH 0-2',
    ]);
  });
});

describe('the entities of windows', () => {
  const sequences = fc.array(fc.constantFrom(...bio), { maxLength: 80 });
  const cuts = fc.record({ room: fc.integer({ min: 1, max: 30 }), shared: fc.nat(29) });

  it('do not overlap, whatever windows are', () => {
    fc.assert(
      fc.property(sequences, cuts, fc.constantFrom('left', 'right'), (labels, { room, shared }, side) => {
        const tokens = tokensOf(bio, labels.join(' '));
        const ranges = windowRanges(tokens.length, { room, stride: Math.min(shared, room - 1), side });
        const merged = mergeEntities(ranges.flatMap(({ start, end }) => entities(tokens.slice(start, end), 'simple')));
        for (const [index, entity] of merged.entries()) {
          expect(entity.end).toBeGreaterThan(entity.start);
          expect(entity.start).toBeGreaterThanOrEqual(merged[index - 1]?.end ?? 0);
        }
      }),
    );
  });

  it('are those of the whole text, where windows share what the longest has', () => {
    fc.assert(
      fc.property(sequences, fc.nat(20), fc.constantFrom('left', 'right'), (labels, more, side) => {
        const tokens = tokensOf(bio, labels.join(' '));
        const whole = entities(tokens, 'simple');
        const stride = Math.max(1, ...whole.map(({ start, end }) => end - start));
        const ranges = windowRanges(tokens.length, { room: stride + 1 + more, stride, side });
        const found = ranges.flatMap(({ start, end }) => entities(tokens.slice(start, end), 'simple'));
        expect(mergeEntities(found).map(({ probability: _, ...span }) => span)).toEqual(
          whole.map(({ probability: _, ...span }) => span),
        );
      }),
    );
  });

  it('are the longer of two that overlap, and of equal ones the more probable', () => {
    const entity = (start: number, end: number, probability: number) => ({ label: 'A', start, end, probability });
    expect(mergeEntities([entity(0, 3, 0.9), entity(2, 8, 0.5), entity(7, 9, 1)])).toEqual([entity(2, 8, 0.5)]);
    expect(mergeEntities([entity(4, 6, 0.5), entity(0, 2, 0.4), entity(0, 2, 0.6)])).toEqual([
      entity(0, 2, 0.6),
      entity(4, 6, 0.5),
    ]);
    expect(mergeEntities([entity(0, 2, 0.5), entity(2, 4, 0.5)])).toHaveLength(2);
  });
});
