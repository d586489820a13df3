import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPredictionId, parsePredictionId, timeOfUuid } from '../../src/predictions/recording/prediction-id.ts';
import { newTimeOrderedId } from '../../src/storage/time-ordered-id.ts';

const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });

describe('the id of a prediction', () => {
  it('is a UUID of version 7 that says when the prediction was made', () => {
    fc.assert(
      fc.property(time, (timeMs) => {
        const uuid = newTimeOrderedId(timeMs);
        expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(timeOfUuid(uuid)).toBe(timeMs);
      }),
    );
  });

  it('sorts by time', () => {
    fc.assert(
      fc.property(time, time, (a, b) => {
        fc.pre(a < b);
        expect(newTimeOrderedId(a) < newTimeOrderedId(b)).toBe(true);
      }),
    );
  });

  it('differs from every other of the same moment', () => {
    const uuids = Array.from({ length: 10_000 }, () => newTimeOrderedId(1_700_000_000_000));
    expect(new Set(uuids).size).toBe(uuids.length);
  });

  it('is read as it is written, with the index of the instance but for the first', () => {
    const uuid = newTimeOrderedId(1_700_000_000_000);
    expect(formatPredictionId({ uuid, instance: 0 })).toBe(uuid);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999 }), (instance) => {
        expect(parsePredictionId(formatPredictionId({ uuid, instance }))).toEqual({ uuid, instance });
      }),
    );
  });

  it.each([
    '',
    'x',
    '01a1fe59-4772-4a9d-bd8c-d22f8e3f4751',
    '01a1fe59-4772-7a9d-bd8c-d22f8e3f4751.0',
    '01a1fe59-4772-7a9d-bd8c-d22f8e3f4751.01',
    '01a1fe59-4772-7a9d-bd8c-d22f8e3f4751.-1',
    '01A1FE59-4772-7A9D-BD8C-D22F8E3F4751',
    "01a1fe59-4772-7a9d-bd8c-d22f8e3f4751'",
  ])('is not %j', (text) => {
    expect(parsePredictionId(text)).toBeUndefined();
  });
});
