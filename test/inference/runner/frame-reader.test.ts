import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameKind, jsonFrame, readJson } from '../../../src/inference/runner/frames/frame.ts';
import { FrameReader } from '../../../src/inference/runner/frames/frame-reader.ts';

test('frames come out whole and in order, however the stream is cut', () => {
  const bodies = fc.array(fc.string({ maxLength: 60 }), { maxLength: 8 });
  const cuts = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(bodies, cuts, (texts, sizes) => {
      const stream = Buffer.concat(texts.map((body) => jsonFrame(frameKind.loaded, body)));
      const received: unknown[] = [];
      const reader = new FrameReader((frame) => {
        expect(frame.byteOffset % 8).toBe(0);
        received.push(readJson(frame));
      });
      for (let at = 0, i = 0; at < stream.byteLength; i += 1) {
        const end = at + (sizes[i % sizes.length] ?? 1);
        reader.push(stream.subarray(at, end));
        at = end;
      }
      expect(received).toEqual(texts);
    }),
  );
});
