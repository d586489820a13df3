import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestKeys } from '../../../src/inference/cache/request-keys.ts';
import type { DataType } from '../../../src/tensor/data-type.ts';
import { float32, type Signature, type Tensor, type Tensors, tensorOver, text } from '../../../src/tensor/tensor.ts';

interface Asked {
  readonly model?: string;
  readonly identity?: string;
  readonly outputs?: readonly string[];
  readonly scope?: 'all' | 'key';
  readonly caller?: string;
  readonly independentRows?: boolean;
  readonly datatype?: DataType;
  readonly rank?: number;
}

const any = (rank: number) => new Array<number>(rank).fill(-1);

/** The keys of a request to a model of the inputs that it has. */
function keysOf(inputs: Tensors, asked: Asked = {}): readonly string[] | undefined {
  const { model = 'm', identity = '1', outputs, scope = 'all', caller, independentRows = false } = asked;
  const signature: Signature = {
    inputs: Object.entries(inputs).map(([name, { datatype, shape }]) => ({ name, datatype, shape: any(shape.length) })),
    outputs: ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [-1, 1] })),
  };
  const keys = new RequestKeys({ model, predictor: { signature }, maxInputBytes: 2 ** 20, scope });
  const context = {
    ...(outputs !== undefined && { outputs }),
    ...(caller !== undefined && { caller: { id: caller, name: caller } }),
  };
  return keys.read(inputs, context, { identity, independentRows })?.keys;
}

const keyOf = (inputs: Tensors, asked?: Asked) => keysOf(inputs, asked)?.join();
const floats = (shape: readonly number[], ...values: number[]) => ({ x: float32(shape, values) });
const bits = (...words: number[]): Tensors => ({
  x: tensorOver('FP32', [words.length], new Uint8Array(Uint32Array.from(words).buffer)),
});

describe('the key of a unit', () => {
  it('is equal for equal requests', () => {
    expect(keyOf(floats([1, 2], 1, 2))).toBe(keyOf(floats([1, 2], 1, 2)));
  });

  it('tells shapes of the same bytes apart', () => {
    expect(keyOf(floats([1, 4], 1, 2, 3, 4))).not.toBe(keyOf(floats([2, 2], 1, 2, 3, 4)));
    expect(keyOf(floats([4], 1, 2, 3, 4))).not.toBe(keyOf(floats([4, 1], 1, 2, 3, 4)));
  });

  it('tells data types of the same bytes apart', () => {
    const bytes = new Uint8Array(8);
    expect(keyOf({ x: tensorOver('INT64', [1], bytes) })).not.toBe(keyOf({ x: tensorOver('UINT64', [1], bytes) }));
  });

  it('tells names of inputs apart', () => {
    expect(keyOf({ x: float32([1], [1]) })).not.toBe(keyOf({ y: float32([1], [1]) }));
    const [one, two] = [float32([1], [1]), float32([1], [2])];
    expect(keyOf({ x: one, y: two })).not.toBe(keyOf({ x: two, y: one }));
  });

  it('tells models, loads, and wanted outputs apart, and takes all outputs by name for all outputs', () => {
    const inputs = floats([1], 1);
    const keys = [{}, { model: 'n' }, { identity: '2' }, { outputs: ['a'] }, { outputs: ['b'] }].map((asked) =>
      keyOf(inputs, asked),
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect(keyOf(inputs, { outputs: ['b', 'a'] })).toBe(keyOf(inputs));
  });

  it('tells callers apart only where the scope is the key', () => {
    const inputs = floats([1], 1);
    const [alice, bob, nobody] = [{ caller: 'alice' }, { caller: 'bob' }, {}];
    expect(keyOf(inputs, alice)).toBe(keyOf(inputs, bob));
    const keys = [alice, bob, nobody].map((asked) => keyOf(inputs, { ...asked, scope: 'key' }));
    expect(new Set(keys).size).toBe(3);
  });

  it('tells -0 from 0, and NaN from NaN of other bits', () => {
    expect(keyOf(floats([1], -0))).not.toBe(keyOf(floats([1], 0)));
    expect(keyOf(bits(0x7fc0_0000))).not.toBe(keyOf(bits(0x7fc0_0001)));
    expect(keyOf(bits(0x7fc0_0000))).toBe(keyOf(bits(0x7fc0_0000)));
  });

  it('tells texts apart by where each ends', () => {
    const of = (...texts: string[]) => keyOf({ x: text([texts.length], texts) });
    expect(of('ab', 'c')).not.toBe(of('a', 'bc'));
    expect(of('', 'a')).not.toBe(of('a', ''));
    expect(of('')).not.toBe(of());
    expect(of('\u0001\u0000'.slice(0, 1))).not.toBe(of(''));
  });

  it('is there for no text that has no UTF-8: two of them would have the same bytes', () => {
    expect(keysOf({ x: text([1], ['\ud800']) })).toBeUndefined();
    expect(keysOf({ x: text([1], ['\ufffd']) })).toHaveLength(1);
  });

  it('of a row is that of the row asked for alone, and no row has that of a request', () => {
    const cell = fc.tuple(
      fc.float(),
      fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0')),
    );
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 8 }), (cells) => {
        const tensors = (some: typeof cells): Tensors => ({
          x: float32(
            [some.length, 1],
            some.map(([value]) => value),
          ),
          t: text(
            [some.length, 1],
            some.map(([, value]) => value),
          ),
        });
        const asked = { independentRows: true };
        const together = keysOf(tensors(cells), asked);
        expect(together).toEqual(cells.flatMap((alone) => keysOf(tensors([alone]), asked)));
        expect(keyOf(tensors(cells.slice(0, 1)))).not.toBe(together?.[0]);
      }),
    );
  });

  it('is equal only where shape, type and bytes are', () => {
    const types = ['FP32', 'INT32', 'UINT32'] as const;
    const tensor = fc.record({
      datatype: fc.constantFrom(...types),
      shape: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
      fill: fc.integer({ min: 0, max: 2 }),
    });
    const make = ({
      datatype,
      shape,
      fill,
    }: {
      datatype: (typeof types)[number];
      shape: number[];
      fill: number;
    }): Tensor => tensorOver(datatype, shape, new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)).fill(fill));
    fc.assert(
      fc.property(tensor, tensor, (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        expect(keyOf({ x: make(one) }) === keyOf({ x: make(other) })).toBe(isSame);
      }),
    );
  });
});
