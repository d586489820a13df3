import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitSections, tensorFromBytes, tensorToBytes } from '../../src/tensor/binary-codec.ts';
import { float32, text } from '../../src/tensor/tensor.ts';
import { arbitraryTensor, bits, dataTypes } from './arbitrary-tensor.ts';
import { refusal } from './malformed.ts';

describe.each(dataTypes)('%s tensors', (datatype) => {
  it('come back from bytes bit for bit, wherever the section starts', () => {
    fc.assert(
      fc.property(arbitraryTensor(datatype), fc.integer({ min: 0, max: 9 }), (tensor, offset) => {
        const bytes = tensorToBytes(tensor);
        const body = new Uint8Array(offset + bytes.byteLength + 3);
        body.set(bytes, offset);
        const section = body.subarray(offset, offset + bytes.byteLength);
        expect(bits(tensorFromBytes({ datatype, shape: tensor.shape, section }, 'x'))).toEqual(bits(tensor));
      }),
    );
  });
});

describe('tensorFromBytes', () => {
  const read = (datatype: string, shape: number[], ...bytes: number[]) =>
    tensorFromBytes({ datatype, shape, section: Uint8Array.from(bytes) }, 'x');

  it('is little-endian', () => {
    expect(read('INT16', [2], 1, 0, 0, 1).data).toEqual(Int16Array.of(1, 256));
  });

  it('looks at an aligned section in place and copies any other', () => {
    const body = new ArrayBuffer(12);
    const shape = [2];
    const aligned = tensorFromBytes({ datatype: 'FP32', shape, section: new Uint8Array(body, 4) }, 'x');
    expect(aligned.datatype === 'FP32' && aligned.data.buffer).toBe(body);
    // Buffer.prototype.slice would not copy.
    const unaligned = tensorFromBytes({ datatype: 'FP32', shape, section: Buffer.from(body, 3, 8) }, 'x');
    expect(unaligned.datatype === 'FP32' && unaligned.data.buffer).not.toBe(body);
  });

  it('keeps a byte order mark inside a text', () => {
    expect(read('BYTES', [1], 3, 0, 0, 0, 0xef, 0xbb, 0xbf).data).toEqual(['\ufeff']);
  });

  it.each([
    ['a short section', 'FP32', [2], [0, 0, 0, 0], 'the section has 4 bytes, FP32 of shape [2] has 8'],
    ['a long section', 'UINT8', [2], [0, 0, 0], 'the section has 3 bytes, UINT8 of shape [2] has 2'],
    ['bytes of an empty tensor', 'UINT8', [2, 0], [0], 'the section has 1 bytes, UINT8 of shape [2, 0] has 0'],
    ['a BOOL of 2', 'BOOL', [2], [1, 2], 'element 1 is 2, not 0 or 1 (BOOL)'],
    ['a missing length', 'BYTES', [2], [1, 0, 0, 0, 97], 'text 1 of 2 ends at byte 9, the section has 5 bytes'],
    ['a text past the end', 'BYTES', [1], [2, 0, 0, 0, 97], 'text 0 of 1 ends at byte 6, the section has 5 bytes'],
    [
      'the longest length',
      'BYTES',
      [1],
      [255, 255, 255, 255],
      'text 0 of 1 ends at byte 4294967299, the section has 4 bytes',
    ],
    ['bytes after the texts', 'BYTES', [1], [0, 0, 0, 0, 0], '1 texts take 4 bytes, the section has 5'],
    ['a NUL', 'BYTES', [1], [1, 0, 0, 0, 0], 'element 0 is 1 bytes, not a text without NUL (BYTES)'],
    ['bad UTF-8', 'BYTES', [1], [1, 0, 0, 0, 0xff], 'element 0 is 1 bytes, not UTF-8 (BYTES)'],
    ['BF16', 'BF16', [1], [0, 0], 'the data type "BF16" is not supported, only BOOL'],
    [
      'a huge shape of texts',
      'BYTES',
      [2 ** 31 - 1],
      [],
      'the shape [2147483647] has 2147483647 texts, at most 500000 are allowed',
    ],
  ])('refuses %s', (_, datatype, shape, bytes, reason) => {
    const error = refusal(() => read(datatype, shape, ...bytes));
    expect(error.code).toBe('MALFORMED_TENSOR');
    expect(error.message).toContain(`Input "x": ${reason}`);
    expect(error.faults[0]?.location[0]).toBe('x');
  });

  it('refuses more bytes than allowed', () => {
    const section = new Uint8Array(8);
    expect(
      refusal(() => tensorFromBytes({ datatype: 'FP32', shape: [2], section }, 'x', { maxBytes: 7 })).message,
    ).toBe('Input "x": the shape [2] of FP32 takes 8 bytes, at most 7 are allowed');
  });
});

describe('tensorToBytes', () => {
  it('is a view of numbers', () => {
    const tensor = float32([2], [1, 2]);
    expect(tensorToBytes(tensor).buffer).toBe(tensor.datatype === 'FP32' && tensor.data.buffer);
  });

  it('writes each text after its length', () => {
    expect([...tensorToBytes(text([2], ['é', '']))]).toEqual([2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0]);
  });
});

describe('splitSections', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5);

  it('cuts without copying, and takes empty sections', () => {
    const sections = splitSections(bytes, [
      { name: 'a', byteSize: 2 },
      { name: 'b', byteSize: 0 },
      { name: 'c', byteSize: 3 },
    ]);
    expect(sections).toEqual([Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3, 4, 5)]);
    expect(sections[2]?.buffer).toBe(bytes.buffer);
  });

  it.each([
    [[{ name: 'a', byteSize: 6 }], 'Input "a": binary_data_size is 6, the body has 5 bytes left'],
    [
      [
        { name: 'a', byteSize: 4 },
        { name: 'b', byteSize: 2 },
      ],
      'Input "b": binary_data_size is 2, the body has 1 bytes left',
    ],
    [[{ name: 'a', byteSize: -1 }], 'Input "a": binary_data_size is -1, the body has 5 bytes left'],
    [[{ name: 'a', byteSize: 1.5 }], 'Input "a": binary_data_size is 1.5'],
    [[{ name: 'a', byteSize: Number.NaN }], 'Input "a": binary_data_size is NaN'],
    [[{ name: 'a', byteSize: 4 }], 'The body has 1 bytes after the last section of its inputs'],
    [[], 'The body has 5 bytes after the last section of its inputs'],
  ])('refuses %j', (sizes, reason) => {
    const error = refusal(() => splitSections(bytes, sizes));
    expect(error.code).toBe('MALFORMED_TENSOR');
    expect(error.message).toContain(reason);
  });
});
