/**
 * The messages between the main process and a runner. Every message is a frame of 32-bit words in the byte order of the
 * machine, padded to a multiple of 16 bytes, as are the tensors inside it. That suits every data type, and the vector
 * instructions of ONNX Runtime: elsewhere it adds numbers up in another order, and the last bits of a result would
 * depend on where in a message its inputs came.
 *
 * ```
 * word 0        bytes of the frame
 * word 1        kind
 * word 2, 3     of the kind's own meaning
 * word 4        bytes of elements that are in the shared file instead of the frame
 * word 5        nothing
 * word 6 …      JSON text, or the words and bytes of tensors (tensor-block.ts)
 * ```
 */
export const frameKind = {
  /** To the runner, JSON: which model, and how. */
  load: 1,
  /** From the runner, JSON: the model's metadata, or why it failed. */
  loaded: 2,
  /** To the runner: word 2 counts the wanted outputs, whose indexes come first, word 3 the requests; then the inputs. */
  run: 3,
  /** From the runner: word 2 is the run in microseconds, word 3 its resident memory in KiB; then the outputs. */
  result: 4,
  /** From the runner, JSON: why the model refused the input. Words 2 and 3 as in a result. */
  refusal: 5,
} as const;

export const headBytes = 24;

export const head = { bytes: 0, kind: 1, a: 2, b: 3, sharedBytes: 4 } as const;

/** The least multiple of 16 that is not less. */
export function align(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

/** The words of the frame that starts at `offset`, which must be a multiple of 4 in its array buffer. */
export function frameWords(frame: Buffer): Uint32Array {
  return new Uint32Array(frame.buffer, frame.byteOffset, frame.byteLength >>> 2);
}

/** A frame whose body is JSON. */
export function jsonFrame(kind: number, body: unknown, a = 0, b = 0): Buffer {
  const text = JSON.stringify(body);
  const textBytes = Buffer.byteLength(text);
  const frame = Buffer.alloc(align(headBytes + textBytes), ' ');
  const words = frameWords(frame);
  words[head.bytes] = frame.byteLength;
  words[head.kind] = kind;
  words[head.a] = a;
  words[head.b] = b;
  words[head.sharedBytes] = 0;
  frame.write(text, headBytes);
  return frame;
}

export function readJson(frame: Buffer): unknown {
  return JSON.parse(frame.toString('utf8', headBytes));
}
