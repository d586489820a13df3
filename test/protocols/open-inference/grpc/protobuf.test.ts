import { loadSync } from '@grpc/proto-loader';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelInferRequest, modelInferResponse } from '../../../../src/open-inference-messages/messages/infer.ts';
import { uint64 } from '../../../../src/open-inference-messages/protobuf/field.ts';
import { message } from '../../../../src/open-inference-messages/protobuf/message.ts';

/** Another implementation, from the published file. */
const { ModelInfer } = loadSync(new URL('../../../../docs/proto/inference.proto', import.meta.url).pathname, {
  longs: String,
  keepCase: true,
  defaults: true,
})['inference.GRPCInferenceService'] as unknown as Record<
  string,
  { requestSerialize(value: object): Buffer; responseDeserialize(bytes: Buffer): object }
>;

function encodeContents(contents: object): Buffer {
  if (ModelInfer === undefined) throw new Error('The file has no ModelInfer');
  return ModelInfer.requestSerialize({ inputs: [{ contents }] });
}

function readContents(bytes: Uint8Array) {
  return modelInferRequest.decode(bytes).inputs[0]?.contents;
}

const lists = [
  ['bool_contents', 'bools', fc.boolean(), Number],
  ['int_contents', 'ints', fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), Number],
  ['int64_contents', 'int64s', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), BigInt],
  ['uint_contents', 'uints', fc.integer({ min: 0, max: 2 ** 32 - 1 }), Number],
  ['uint64_contents', 'uint64s', fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), BigInt],
  ['fp32_contents', 'floats', fc.float(), Number],
  ['fp64_contents', 'doubles', fc.double(), Number],
] as const;

describe('a message', () => {
  it.each(lists)('has the %s that another implementation wrote', (theirs, ours, element, convert) => {
    fc.assert(
      fc.property(fc.array(element as fc.Arbitrary<unknown>), (values) => {
        const written = values.map((value) => (typeof value === 'bigint' ? String(value) : value));
        const read = readContents(encodeContents({ [theirs]: written }))?.[ours];
        expect([...(read ?? [])]).toEqual(values.map((value) => convert(value as number)));
      }),
    );
  });

  it('may write a list of numbers as one field for each, in several parts', () => {
    // Field 5 (inputs) of: field 5 (contents) of: three single fields 3, and a packed one.
    const contents = [0x18, 1, 0x18, 2, 0x18, 3, 0x1a, 2, 4, 5];
    const input = [0x2a, contents.length, ...contents];
    const read = readContents(Uint8Array.from([0x2a, input.length, ...input]));
    expect(read?.int64s).toEqual(BigInt64Array.of(1n, 2n, 3n, 4n, 5n));
  });

  it('is read by another implementation', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.array(fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER })),
        fc.uint8Array(),
        (text, shape, raw) => {
          const bytes = modelInferResponse.encode({
            modelName: text,
            parameters: new Map([['k', { int64: -1n }]]),
            outputs: [{ name: text, datatype: 'FP32', shape }],
            rawOutputContents: [raw, new Uint8Array(0)],
          });
          expect(ModelInfer?.responseDeserialize(bytes)).toMatchObject({
            model_name: text,
            parameters: { k: { int64_param: '-1' } },
            outputs: [{ name: text, datatype: 'FP32', shape: shape.map(String) }],
            raw_output_contents: [Buffer.from(raw), Buffer.alloc(0)],
          });
        },
      ),
    );
  });

  it('keeps every bit of a 64-bit integer', () => {
    const type = message({ value: uint64(1) });
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        expect(type.decode(type.encode({ value }))).toEqual({ value });
      }),
    );
  });

  it('has the raw contents as views of its bytes', () => {
    const bytes = modelInferRequest.encode({ modelName: 'm', rawInputContents: [new Uint8Array(600_000)] });
    expect(modelInferRequest.decode(bytes).rawInputContents[0]?.buffer).toBe(bytes.buffer);
  });

  it('passes over fields that it does not know', () => {
    const unknown = Uint8Array.from([0x78, 1, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7a, 1, 9, 0x7d, 1, 2, 3, 4]);
    const { modelName } = modelInferRequest.decode(Uint8Array.from([...unknown, 0x0a, 1, 0x6d, ...unknown]));
    expect(modelName).toBe('m');
  });

  it('is refused, and never anything else, when it is none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          modelInferRequest.decode(bytes);
        } catch (error) {
          expect(error).toMatchObject({ name: 'AppError', code: 'MALFORMED_BODY' });
        }
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['a field that ends early', [0x0a, 5, 1]],
    ['a number that does not end', [0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
    ['field 0', [0x02, 0]],
    ['a group', [0x0b]],
    ['a number where a text belongs', [0x08, 1]],
    ['a text that is not UTF-8', [0x0a, 1, 0xff]],
    ['a packed list that is cut', [0x2a, 5, 0x2a, 3, 0x1a, 1, 0x80]],
  ])('is refused for %s', (_what, bytes) => {
    expect(() => modelInferRequest.decode(Uint8Array.from(bytes))).toThrow(
      expect.objectContaining({ code: 'MALFORMED_BODY' }),
    );
  });
});
