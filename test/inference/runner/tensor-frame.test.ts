import { openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { frameKind } from '../../../src/inference/runner/frames/frame.ts';
import { type Piece, SharedFile } from '../../../src/inference/runner/frames/shared-file.ts';
import { readTensorFrame, writeTensorFrame } from '../../../src/inference/runner/frames/tensor-frame.ts';
import { float32, int64, type Tensor, text } from '../../../src/tensor/tensor.ts';

function sharedFile(): SharedFile {
  const file = path.join(tmpdir(), `inferd-shared-${process.pid}-${Math.random()}`);
  const shared = new SharedFile(openSync(file, 'w+'));
  onTestFinished(() => {
    shared.close();
    rmSync(file);
  });
  return shared;
}

/** Writes the tensors, each of two parts, and reads them again. */
function roundTrip(tensors: readonly Tensor[], share: (pieces: readonly Piece[]) => boolean, shared?: SharedFile) {
  const joined = tensors.map((tensor) => ({
    ...tensor,
    shape: [2 * (tensor.shape[0] ?? 0), ...tensor.shape.slice(1)],
    parts: [tensor, tensor],
  }));
  const content = { kind: frameKind.run, a: 1, b: 0, words: [7], tensors: joined };
  const frame = writeTensorFrame(content, { allocate: Buffer.alloc, share });
  const datatypes = tensors.map(({ datatype }) => datatype);
  const read = readTensorFrame(frame, { skippedWords: 1, datatypes }, (bytes) => {
    const elements = Buffer.alloc(bytes);
    shared?.readInRunner(3, elements);
    return elements;
  });
  return { frame, read };
}

const small = [float32([1, 3], [1, 2, 3]), text([2], ['é', '']), int64([1], [5n])];
const long = 'é'.repeat(10_000);
const large = [float32([1, 20_001], new Array(20_001).fill(0.5)), text([2], [long, 'b']), int64([1], [5n])];

function twice(tensors: readonly Tensor[]) {
  return tensors.map(({ datatype, shape, data }) => ({
    datatype,
    shape: [2 * (shape[0] ?? 0), ...shape.slice(1)],
    values: [...data, ...data],
  }));
}
const plain = (tensors: readonly Tensor[]) =>
  tensors.map(({ datatype, shape, data }) => ({ datatype, shape, values: [...data] }));

describe('a frame of tensors', () => {
  test('holds small ones itself', () => {
    const { read } = roundTrip(small, () => expect.unreachable('small tensors are not shared'));
    expect(plain(read)).toEqual(twice(small));
  });

  test.each([1, 2, 3, 4])('begins every tensor at a multiple of 16 bytes, also behind one of %i numbers', (length) => {
    const row = float32([1, length], new Array(length).fill(1));
    const { frame, read } = roundTrip([row, row, int64([1], [5n]), row], () => false);
    expect(frame.byteLength % 16).toBe(0);
    for (const { data } of read)
      expect(data).toHaveProperty(
        'byteOffset',
        expect.toSatisfy((at) => at % 16 === 0),
      );
  });

  test('leaves the elements of large ones in the shared file', () => {
    const shared = sharedFile();
    const { frame, read } = roundTrip(large, (pieces) => shared.writeToRunner(3, pieces), shared);
    expect(frame.byteLength).toBeLessThan(200);
    expect(plain(read)).toEqual(twice(large));
  });

  test('holds large ones itself when they cannot be shared', () => {
    const { read } = roundTrip(large, () => false);
    expect(plain(read)).toEqual(twice(large));
  });
});

describe('a shared file', () => {
  test('says when a message does not fit', () => {
    const bytes = 17 * 2 ** 20;
    expect(sharedFile().writeToRunner(0, [{ at: 0, bytes, buffers: [new Uint8Array(bytes)] }])).toBe(false);
  });

  test('says when the file system is full', () => {
    const full = new SharedFile(openSync('/dev/full', 'w'));
    onTestFinished(() => full.close());
    expect(full.writeToRunner(0, [{ at: 0, bytes: 8, buffers: [new Uint8Array(8)] }])).toBe(false);
  });

  test('keeps two runs and both directions apart', () => {
    const shared = sharedFile();
    const piece = (byte: number) => [{ at: 0, bytes: 8, buffers: [new Uint8Array(8).fill(byte)] }];
    shared.writeToRunner(0, piece(1));
    shared.writeToRunner(1, piece(2));
    shared.writeFromRunner(0, piece(3));
    shared.writeFromRunner(1, piece(4));
    const target = Buffer.alloc(8);
    const first = (read: (run: number, target: Buffer) => void, run: number) => {
      read.call(shared, run, target);
      return target[0];
    };
    expect(first(shared.readInRunner, 0)).toBe(1);
    expect(first(shared.readInRunner, 1)).toBe(2);
    expect(first(shared.readFromRunner, 0)).toBe(3);
    expect(first(shared.readFromRunner, 1)).toBe(4);
  });
});
