import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { checkOutputs, checkSignature } from '../../src/tensor/check-signature.ts';
import { float32, int64, type Signature, type Tensors, text } from '../../src/tensor/tensor.ts';

const signature: Signature = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 4] },
    { name: 'words', datatype: 'BYTES', shape: [-1] },
    { name: 'factor', datatype: 'FP32', shape: [] },
  ],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
};
const fitting: Tensors = { x: float32([1, 4], [1, 2, 3, 4]), words: text([1], ['a']), factor: float32([], [2]) };

function errorOf(check: () => void): AppError {
  try {
    check();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const refuse = (changes: Tensors) => errorOf(() => checkSignature(signature, { ...fitting, ...changes }));

describe('checkSignature', () => {
  test('accepts what fits, free dimensions of any size, and any rank where none is known', () => {
    checkSignature(signature, fitting);
    checkSignature(signature, { ...fitting, x: float32([0, 4], []), factor: float32([1, 2], [1, 2]) });
  });

  test('names a missing input and what was expected', () => {
    const { x, words } = fitting as Record<'x' | 'words', Tensors[string]>;
    const error = errorOf(() => checkSignature(signature, { x, words } as Tensors));
    expect(error).toMatchObject({ code: 'SIGNATURE_MISMATCH', message: 'input "factor" is missing; expected FP32 []' });
  });

  test('names an unknown input, which ONNX Runtime would ignore', () => {
    expect(refuse({ z: float32([1], [1]) })).toMatchObject({
      code: 'SIGNATURE_MISMATCH',
      faults: [{ location: ['inputs', 'z'], type: 'unknown_input' }],
    });
  });

  test('names both data types', () => {
    expect(refuse({ x: int64([1, 4], [1, 2, 3, 4]) }).message).toBe('input "x" is of type INT64; expected FP32 [-1,4]');
  });

  test.each([[[4]], [[1, 5]], [[1, 4, 1]]])('refuses the shape %j and names both shapes', (shape) => {
    const error = refuse({ x: float32(shape, new Array(5).fill(0)) });
    expect(error.message).toBe(`input "x" has shape [${shape}]; expected [-1,4]`);
  });

  test('tells every fault at once', () => {
    const error = errorOf(() => checkSignature(signature, { x: float32([1], [1]), z: float32([1], [1]) }));
    expect(error.faults.map(({ type }) => type)).toEqual([
      'wrong_shape',
      'missing_input',
      'missing_input',
      'unknown_input',
    ]);
  });

  test('is not fooled by names of the object prototype', () => {
    expect(refuse({ toString: float32([1], [1]) }).code).toBe('SIGNATURE_MISMATCH');
    const odd: Signature = { inputs: [{ name: 'constructor', datatype: 'FP32', shape: [] }], outputs: [] };
    expect(errorOf(() => checkSignature(odd, {})).message).toContain('"constructor" is missing');
  });

  test('refuses a tensor with too few or too many elements', () => {
    expect(refuse({ x: float32([2, 4], [1, 2, 3, 4]) })).toMatchObject({
      code: 'MALFORMED_TENSOR',
      received: 4,
      expected: 8,
    });
  });

  test('refuses a text with a NUL, at which it would be cut', () => {
    expect(refuse({ words: text([1], ['a\0b']) })).toMatchObject({
      code: 'MALFORMED_TENSOR',
      message: 'input "words" holds a text with a NUL character',
    });
  });
});

test('checkOutputs lists the outputs there are', () => {
  checkOutputs(signature, ['y']);
  expect(errorOf(() => checkOutputs(signature, ['y', 'z']))).toMatchObject({
    code: 'SIGNATURE_MISMATCH',
    message: 'the model has no output "z" that can be served; it gives "y"',
  });
});
