import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tensorFromJson, tensorFromNested } from '../../src/tensor/json/json-codec.ts';
import { tensorToJson, tensorToNested } from '../../src/tensor/json/json-output.ts';
import { parseJson } from '../../src/tensor/json/parse-json.ts';
import { float32, int64, type Tensor, text, uint8 } from '../../src/tensor/tensor.ts';
import { arbitraryTensor, bitsButNaN, dataTypes } from './arbitrary-tensor.ts';
import { refusal } from './malformed.ts';

/** What a client receives and a server reads. */
const throughText = (value: unknown) => parseJson(new TextEncoder().encode(JSON.stringify(value)));
const parse = (json: string) => parseJson(new TextEncoder().encode(json));
const read = (datatype: string, shape: number[], json: string) =>
  tensorFromJson({ datatype, shape, data: parse(json) }, 'x');

describe.each(dataTypes)('%s tensors', (datatype) => {
  it('come back from flat JSON as they were', () => {
    fc.assert(
      fc.property(arbitraryTensor(datatype), (tensor) => {
        const data = throughText(tensorToJson(tensor));
        const { shape } = tensor;
        expect(bitsButNaN(tensorFromJson({ datatype, shape, data }, 'x'))).toEqual(bitsButNaN(tensor));
      }),
    );
  });

  it('come back from nested JSON as they were', () => {
    fc.assert(
      fc.property(arbitraryTensor(datatype), (tensor) => {
        const data = throughText(tensorToNested(tensor));
        const { shape } = tensor;
        expect(bitsButNaN(tensorFromJson({ datatype, shape, data }, 'x'))).toEqual(bitsButNaN(tensor));
        expect(bitsButNaN(tensorFromNested(data, { name: 'x', datatype, shape }, 'x'))).toEqual(bitsButNaN(tensor));
      }),
    );
  });
});

describe('numbers', () => {
  it('keeps the digits of 64-bit integers both ways', () => {
    const tensor = read('INT64', [3], '[9223372036854775807, -9223372036854775808, 9007199254740993]');
    expect(tensor.data).toEqual(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n));
    expect(JSON.stringify(tensorToJson(tensor))).toBe('[9223372036854775807,-9223372036854775808,9007199254740993]');
  });

  it('reads NaN and infinities bare, as texts and, for NaN, as null', () => {
    const json = '[NaN, Infinity, -Infinity, "NaN", "Infinity", "-Infinity", null, 0.5]';
    const expected = [Number.NaN, Infinity, -Infinity, Number.NaN, Infinity, -Infinity, Number.NaN, 0.5];
    expect(read('FP32', [8], json).data).toEqual(Float32Array.from(expected));
    expect(read('FP64', [8], json).data).toEqual(Float64Array.from(expected));
    expect(read('FP16', [8], json).data).toEqual(new Uint16Array(Float16Array.from(expected).buffer));
  });

  it('writes NaN and infinities as texts, so that the reply is JSON', () => {
    const tensor = float32([4], [Number.NaN, Infinity, -Infinity, -0]);
    expect(JSON.stringify(tensorToJson(tensor))).toBe('["NaN","Infinity","-Infinity",-0.0]');
  });

  it('rounds to the nearest float, and takes whole numbers of any length for one', () => {
    expect(read('FP32', [2], '[0.1, 12345678901234567890]').data).toEqual(Float32Array.of(0.1, 1.2345678901234567e19));
    expect(read('FP16', [2], '[65519.9, 1e-9]').data).toEqual(Uint16Array.of(0x7bff, 0));
    expect(read('FP32', [1], '[3.4028235677973362e38]').data).toEqual(Float32Array.of(3.4028234663852886e38));
  });

  it.each([
    ['UINT8', '[1,2,3,300]', 'element 3 is 300, outside of UINT8 (0 to 255)', 'out_of_range'],
    ['UINT8', '[1,2,3,-1]', 'element 3 is -1, outside of UINT8 (0 to 255)', 'out_of_range'],
    ['INT8', '[1,2,3,128]', 'element 3 is 128, outside of INT8 (-128 to 127)', 'out_of_range'],
    ['INT32', '[1,2,3,1.5]', 'element 3 is 1.5, not a whole number (INT32)', 'invalid_type'],
    ['INT32', '[1,2,3,2147483648]', 'element 3 is 2147483648, outside of INT32', 'out_of_range'],
    ['INT32', '[1,2,3,12345678901234567890]', 'element 3 is 12345678901234567890, outside of INT32', 'out_of_range'],
    ['INT32', '[1,2,3,NaN]', 'element 3 is NaN, not a whole number (INT32)', 'invalid_type'],
    ['INT32', '[1,2,3,null]', 'element 3 is null, not a whole number (INT32)', 'invalid_type'],
    ['INT64', '[1,2,3,true]', 'element 3 is true, not a whole number (INT64)', 'invalid_type'],
    ['INT64', '[1,2,3,"1"]', 'element 3 is "1", not a whole number (INT64)', 'invalid_type'],
    ['INT64', '[1,2,3,Infinity]', 'element 3 is Infinity, not a whole number (INT64)', 'invalid_type'],
    ['INT64', '[1,2,3,9223372036854775808]', 'element 3 is 9223372036854775808, outside of INT64', 'out_of_range'],
    [
      'INT64',
      '[1,2,3,1e18]',
      'element 3 is 1000000000000000000, which INT64 takes only with all its digits',
      'out_of_range',
    ],
    ['INT64', '[1,2,3,1e30]', 'element 3 is 1e+30, outside of INT64', 'out_of_range'],
    ['UINT64', '[1,2,3,-1]', 'element 3 is -1, outside of UINT64 (0 to 18446744073709551615)', 'out_of_range'],
    ['UINT64', '[1,2,3,18446744073709551616]', 'outside of UINT64', 'out_of_range'],
    ['FP32', '[1,2,3,true]', 'element 3 is true, not a number (FP32)', 'invalid_type'],
    ['FP32', '[1,2,3,"1"]', 'element 3 is "1", not a number (FP32)', 'invalid_type'],
    ['FP32', '[1,2,3,[4]]', 'element 3 is a list, not a number (FP32)', 'invalid_type'],
    ['FP32', '[1,2,3,{}]', 'element 3 is an object, not a number (FP32)', 'invalid_type'],
    ['FP32', '[1,2,3,1e39]', 'element 3 is 1e+39, outside of FP32', 'out_of_range'],
    [
      'FP32',
      '[1,2,NaN,-3.4028235677973366e38]',
      'element 3 is -3.4028235677973366e+38, outside of FP32',
      'out_of_range',
    ],
    ['FP16', '[1,2,3,65520]', 'element 3 is 65520, outside of FP16 (-65504 to 65504)', 'out_of_range'],
    ['BOOL', '[true,true,false,1]', 'element 3 is 1, not true or false (BOOL)', 'invalid_type'],
    ['BYTES', '["a","b","c",1]', 'element 3 is 1, not a text (BYTES)', 'invalid_type'],
    ['BYTES', '["a","b","c","\\u0000"]', 'element 3 is "\\u0000", not a text without NUL', 'invalid_type'],
    [
      'BYTES',
      '["a","b","c","\\ud800"]',
      'element 3 is "\\ud800", not a text without NUL and lone surrogates',
      'invalid_type',
    ],
  ])('refuses %s %s', (datatype, json, reason, type) => {
    const flat = refusal(() => read(datatype, [4], json));
    expect(flat).toMatchObject({ code: 'MALFORMED_TENSOR', kind: 'malformed' });
    expect(flat.message).toContain(`Input "x": `);
    expect(flat.message).toContain(reason);
    expect(flat.faults).toEqual([{ location: ['x', 'data', 3], type, message: flat.message }]);
  });
});

describe('shapes', () => {
  it('takes a scalar bare or in a list', () => {
    expect(read('FP32', [], '5')).toEqual(float32([], [5]));
    expect(read('FP32', [], '[5]')).toEqual(float32([], [5]));
  });

  it('takes empty tensors flat and nested', () => {
    const empty = float32([2, 0], []);
    expect(read('FP32', [2, 0], '[]')).toEqual(empty);
    expect(read('FP32', [2, 0], '[[],[]]')).toEqual(empty);
  });

  it.each([
    ['[2, 3] flat', [2, 3], '[1,2,3,4,5]', 'data has 5 elements, the shape [2, 3] has 6', ['x', 'data']],
    ['[2, 3] ragged', [2, 3], '[[1,2,3],[4,5]]', 'element 1 is a list of 2, not a list of 3', ['x', 'data', 1]],
    ['[1, 2, 2] mixed', [1, 2, 2], '[[[1,2],3]]', 'element [0][1] is 3, not a list of 2', ['x', 'data', 0, 1]],
    ['[2, 3] transposed', [2, 3], '[[1,2],[3,4],[5,6]]', 'the value is a list of 3, not a list of 2', ['x', 'data']],
    ['[2] too deep', [2], '[[1],[2]]', 'element 0 is a list, not a number (FP32)', ['x', 'data', 0]],
    ['[2, 2] bad element', [2, 2], '[[1,2],[3,"4"]]', 'element [1][1] is "4", not a number', ['x', 'data', 1, 1]],
    ['no list', [2], '{"0":1}', 'data is an object, not a list', ['x', 'data']],
  ])('refuses %s', (_, shape, json, reason, location) => {
    const error = refusal(() => read('FP32', shape, json));
    expect(error.message).toContain(reason);
    expect(error.faults).toEqual([{ location, type: expect.any(String), message: error.message }]);
  });

  it.each([
    [[-1], 'dimension 0 of the shape is -1, not a whole number'],
    [[2, 1.5], 'dimension 1 of the shape is 1.5, not a whole number'],
    [[2 ** 31], 'dimension 0 of the shape is 2147483648, not a whole number from 0 to 2147483647'],
    [[2 ** 30, 2 ** 30], 'takes 4611686018427388000 bytes, at most Infinity are allowed'],
    [new Array(17).fill(1), 'the shape has 17 dimensions, at most 16 are allowed'],
  ])('refuses the shape %j before it takes memory', (shape, reason) => {
    expect(refusal(() => tensorFromJson({ datatype: 'FP32', shape, data: [] }, 'x')).message).toContain(reason);
  });

  it('refuses more bytes than allowed', () => {
    const tensor = { datatype: 'FP64', shape: [3], data: [1, 2, 3] };
    expect(tensorFromJson(tensor, 'x', { maxBytes: 24 }).data).toHaveLength(3);
    const error = refusal(() => tensorFromJson(tensor, 'x', { maxBytes: 23 }));
    expect(error.message).toBe('Input "x": the shape [3] of FP64 takes 24 bytes, at most 23 are allowed');
  });

  it.each(['BF16', 'FP8', 'fp32', '__proto__', 'toString'])('refuses the data type %s', (datatype) => {
    const error = refusal(() => tensorFromJson({ datatype, shape: [1], data: [1] }, 'x'));
    expect(error.message).toContain(`the data type "${datatype}" is not supported, only BOOL, UINT8`);
    expect(error.faults[0]?.location).toEqual(['x', 'datatype']);
  });
});

describe('tensorFromNested', () => {
  const spec = (datatype: Tensor['datatype'], shape: number[]) => ({ name: 'x', datatype, shape });

  it('infers the free dimensions from the lists', () => {
    expect(
      tensorFromNested(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        spec('UINT8', [-1, 2]),
        'x',
      ),
    ).toEqual(uint8([3, 2], Uint8Array.of(1, 2, 3, 4, 5, 6)));
    expect(tensorFromNested([['a'], ['b']], spec('BYTES', [-1, -1]), 'x')).toEqual(text([2, 1], ['a', 'b']));
  });

  it('takes a bare value for a scalar', () => {
    expect(tensorFromNested(7, spec('INT64', []), 'x')).toEqual(int64([], [7]));
  });

  it('takes the dimensions below an empty list from the specification', () => {
    expect(tensorFromNested([], spec('FP32', [-1, 4]), 'x')).toEqual(float32([0, 4], []));
    expect(tensorFromNested([], spec('FP32', [-1, -1]), 'x')).toEqual(float32([0, 0], []));
    expect(tensorFromNested([[], []], spec('FP32', [-1, -1, 2]), 'x')).toEqual(float32([2, 0, 2], []));
  });

  it.each([
    ['a bare value', 5, [-1], 'the lists have the shape [], the model takes [-1]'],
    ['too shallow', [1, 2], [-1, 2], 'the lists have the shape [2], the model takes [-1, 2]'],
    ['too deep', [[[1, 2]]], [-1, 2], 'the lists have the shape [1, 1, 2], the model takes [-1, 2]'],
    ['another fixed dimension', [[1, 2, 3]], [-1, 2], 'the lists have the shape [1, 3], the model takes [-1, 2]'],
    ['ragged', [[1, 2], [3]], [-1, 2], 'element 1 is a list of 1, not a list of 2'],
    ['ragged where free', [[1], [2, 3]], [-1, -1], 'element 1 is a list of 2, not a list of 1'],
    ['a list among elements', [[1, [2]]], [-1, 2], 'element [0][1] is a list, not a number (FP32)'],
    ['missing', undefined, [-1], 'the lists have the shape [], the model takes [-1]'],
  ])('refuses %s', (_, value, shape, reason) => {
    const error = refusal(() => tensorFromNested(value, spec('FP32', shape), 'x'));
    expect(error.code).toBe('MALFORMED_TENSOR');
    expect(error.message).toBe(`Input "x": ${reason}`);
  });

  it('ends at lists that never end', () => {
    let endless: unknown = 1;
    for (let level = 0; level < 10_000; level++) endless = [endless];
    expect(refusal(() => tensorFromNested(endless, spec('FP32', [-1]), 'x')).code).toBe('MALFORMED_TENSOR');
    expect(refusal(() => tensorFromNested(endless, spec('FP32', []), 'x')).code).toBe('MALFORMED_TENSOR');
  });
});
