import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeInferBody } from '../../../src/inference/remote/http/infer-body.ts';
import { tensorFromBytes } from '../../../src/tensor/binary-codec.ts';
import { type JsonTensor, tensorFromJson } from '../../../src/tensor/json/json-codec.ts';
import { parseJson } from '../../../src/tensor/json/parse-json.ts';
import { concatenateRows } from '../../../src/tensor/rows.ts';
import type { Tensor } from '../../../src/tensor/tensor.ts';
import { dataTypes } from '../../helpers/identity-model.ts';
import { arbitraryTensor, bits, bitsButNaN } from '../../tensor/arbitrary-tensor.ts';

type Written = JsonTensor & { readonly parameters?: { readonly binary_data_size: number } };

/** What the other side reads of a body. */
function readBody({ parts, jsonBytes }: ReturnType<typeof writeInferBody>): Tensor {
  const body = Buffer.concat(parts);
  const text = body.subarray(0, jsonBytes);
  const { inputs } = parseJson(text) as { inputs: readonly Written[] };
  const [input] = inputs;
  if (input === undefined) throw new Error('no input');
  if (jsonBytes === undefined) return tensorFromJson(input, 'x');
  const section = body.subarray(jsonBytes);
  expect(input.parameters?.binary_data_size).toBe(section.byteLength);
  return tensorFromBytes({ datatype: input.datatype, shape: input.shape, section }, 'x');
}

describe.each(dataTypes)('a request of %s', (datatype) => {
  test.each([true, false])('is read as it was, its rows joined (binary: %s)', (isBinary) => {
    fc.assert(
      fc.property(
        arbitraryTensor(datatype).filter(({ shape }) => shape.length > 0),
        fc.integer({ min: 1, max: 3 }),
        (tensor, copies) => {
          const parts = new Array<Tensor>(copies).fill(tensor);
          const whole = concatenateRows(parts);
          const call = {
            inputs: [{ name: 'x', datatype, shape: whole.shape, parts }],
            outputs: ['y'],
            requestId: 'r',
            trace: undefined,
            priority: undefined,
            timeoutMs: 1000,
            mostBytes: 1,
          };
          // A text cannot carry the payload of a NaN.
          const seen = isBinary ? bits : bitsButNaN;
          expect(seen(readBody(writeInferBody(call, isBinary)))).toEqual(seen(whole));
        },
      ),
    );
  });
});
