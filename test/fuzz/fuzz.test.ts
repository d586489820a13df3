import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../src/tensor/random-numbers.ts';
import { faultOf } from './bodies.ts';
import { growth } from './memory.ts';
import { type Draft, encodeDraft, mutate } from './mutate.ts';

const draft = (): Draft => ({
  json: { id: 'x', inputs: [{ name: 'x', datatype: 'FP32', shape: [1], parameters: { binary_data_size: 4 } }] },
  sections: new Uint8Array(4),
  headers: {},
  finish: [],
});

function bodyOf(seed: number) {
  const made = draft();
  mutate(made, randomNumbers(seed));
  return encodeDraft(made);
}

const reply = (status: number, body: string) => ({ status, headers: {}, body: Buffer.from(body) });

describe('the fuzzer', () => {
  it('makes the same body of the same seed, and others of others', () => {
    expect(bodyOf(7)).toEqual(bodyOf(7));
    const make = () => Array.from({ length: 5000 }, (_, seed) => JSON.stringify(bodyOf(seed)));
    const bodies = make();
    expect(make()).toEqual(bodies);
    expect(new Set(bodies).size).toBeGreaterThan(1000);
  });

  it.each([
    ['a server error', reply(500, '{"error":"x"}'), /^answered by 500/],
    ['an overload', reply(503, '{"error":"x"}'), /^answered by 503/],
    ['an error without a text', reply(400, '{"detail":"x"}'), /^no error text/],
    ['an error that is not JSON', reply(400, 'no'), /cannot be read/],
    ['an answer that is none', reply(200, '{"model_name":"x"}'), /cannot be read/],
  ])('finds fault with %s', (_name, answer, fault) => {
    expect(faultOf(answer)).toMatch(fault);
  });

  it('takes an error with a text, and an answer', () => {
    expect(faultOf(reply(400, '{"error":"x"}'))).toBeUndefined();
    const output = { name: 'y', datatype: 'FP32', shape: [1], data: [1] };
    expect(faultOf(reply(200, JSON.stringify({ model_name: 'x', outputs: [output] })))).toBeUndefined();
  });

  it('sees memory that grows, and not the warm-up', () => {
    const steady = Array.from({ length: 100 }, (_, index) => Math.min(index, 20) + (index % 3));
    expect(growth(steady)).toBeLessThan(2);
    expect(growth(Array.from({ length: 100 }, (_, index) => index))).toBe(50);
  });
});
