import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import type { CapturedPrediction } from '../../src/predictions/recording/captured-prediction.ts';
import { PredictionBuffer } from '../../src/predictions/recording/prediction-buffer.ts';

const captured = (uuid: string, rows: number, bytes: number): CapturedPrediction => ({
  uuid,
  rows,
  bytes,
  error: new AppError('INTERNAL', { message: 'any' }),
  requestId: uuid,
  caller: undefined,
  model: { name: 'any', version: '1' },
  redact: [],
  keepsFiles: false,
  typed: undefined,
  shadowOf: undefined,
  results: [],
  largeInputs: undefined,
});

const step = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), rows: fc.integer({ min: 1, max: 40 }), bytes: fc.nat(400) }),
  fc.record({ kind: fc.constant('write' as const), maxRows: fc.integer({ min: 1, max: 60 }), maxBytes: fc.nat(500) }),
);

test('a buffer stays within its bounds, loses nothing that it took, and gives it in order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const bounds = { maxRows: 100, maxBytes: 1000 };
      const buffer = new PredictionBuffer(bounds);
      const taken: string[] = [];
      const written: string[] = [];
      const sizes = new Map<string, { rows: number; bytes: number }>();
      for (const [index, one] of steps.entries()) {
        if (one.kind === 'push') {
          const { rows, bytes } = one;
          const fits = buffer.rows + rows <= bounds.maxRows && buffer.bytes + bytes <= bounds.maxBytes;
          expect(buffer.push(captured(String(index), rows, bytes))).toBe(fits);
          if (fits) taken.push(String(index));
          sizes.set(String(index), { rows, bytes });
        } else {
          const batch = buffer.peek(one.maxRows, one.maxBytes);
          if (buffer.rows > 0) expect(batch.length).toBeGreaterThan(0);
          const rows = batch.reduce((sum, prediction) => sum + prediction.rows, 0);
          if (batch.length > 1) expect(rows).toBeLessThanOrEqual(one.maxRows);
          expect(buffer.remove(batch.length)).toBe(rows);
          written.push(...batch.map(({ uuid }) => uuid));
        }
        const waiting = taken.slice(written.length).map((uuid) => sizes.get(uuid) ?? { rows: 0, bytes: 0 });
        expect(buffer.rows).toBe(waiting.reduce((sum, { rows }) => sum + rows, 0));
        expect(buffer.bytes).toBe(waiting.reduce((sum, { bytes }) => sum + bytes, 0));
        expect(buffer.rows).toBeLessThanOrEqual(bounds.maxRows);
        expect(buffer.bytes).toBeLessThanOrEqual(bounds.maxBytes);
      }
      expect(written).toEqual(taken.slice(0, written.length));
    }),
  );
});
