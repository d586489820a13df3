import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestServer } from '../../../helpers/server.ts';
import { binaryBody, bytesOf, post, serveFixtures, textBytes } from './client.ts';

let server: TestServer;

beforeAll(async () => {
  server = await serveFixtures(['two_inputs', 'strings']);
});

afterAll(() => server.stop());

const floats = bytesOf(Float32Array.of(1, 2, 3, 4));
const texts = textBytes('a', 'bc');
const parameters = { binary_data_output: true };
const input = (name: string, datatype: string, shape: number[], section: Uint8Array) => ({
  name,
  datatype,
  shape,
  parameters: { binary_data_size: section.byteLength },
});
const requests = [
  {
    model: 'two_inputs',
    ...binaryBody(
      { inputs: [input('a', 'FP32', [2, 2], floats), input('b', 'FP32', [2, 2], floats)], parameters },
      floats,
      floats,
    ),
  },
  {
    model: 'strings',
    ...binaryBody({ inputs: [input('x', 'BYTES', [1, 2], texts)], outputs: [{ name: 'y' }], parameters }, texts),
  },
];

/** Some bytes of a body replaced, put in or taken out. */
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.nat(3),
  put: fc.uint8Array({ maxLength: 3 }),
});

function mutate(body: Uint8Array, { at, cut, put }: { at: number; cut: number; put: Uint8Array }): Uint8Array {
  const place = Math.floor(at * body.byteLength);
  return new Uint8Array(Buffer.concat([body.subarray(0, place), put, body.subarray(place + cut)]));
}

describe('a binary body that was changed anywhere', () => {
  it('is answered, or refused with a reason', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...requests),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: -2, max: 2 }),
        async ({ model, headers, body }, mutations, shift) => {
          const length = Number(headers['inference-header-content-length']) + shift;
          const mutated = mutations.reduce(mutate, body);
          const reply = await post(server.address, `/v2/models/${model}/infer`, mutated, {
            'inference-header-content-length': String(length),
          });
          expect([200, 400]).toContain(reply.status);
          if (reply.status === 400) expect(reply.json.error).toMatch(/./);
        },
      ),
      { numRuns: 500 },
    );
    for (const { model, headers, body } of requests) {
      expect((await post(server.address, `/v2/models/${model}/infer`, body, headers)).status).toBe(200);
    }
  });
});
