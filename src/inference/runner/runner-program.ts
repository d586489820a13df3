import type { InferenceSession, OnnxValue } from 'onnxruntime-node';
import type { DataType } from '../../tensor/data-type.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { readExternalData } from './external-data.ts';
import { frameKind, frameWords, head, headBytes, jsonFrame, readJson } from './frames/frame.ts';
import { SharedFile } from './frames/shared-file.ts';
import { readTensorFrame, writeTensorFrame } from './frames/tensor-frame.ts';
import {
  datatypeOf,
  type LoadedMessage,
  type LoadMessage,
  type RefusalMessage,
  type ValueDescription,
} from './messages.ts';
import { outputBytes } from './output-size.ts';
import { ortSessionOptions } from './session-options.ts';

/** What a runner needs of a session of ONNX Runtime, or of what stands in its place. */
export interface RunnerSession {
  readonly inputMetadata: readonly ValueDescription[];
  readonly outputMetadata: readonly ValueDescription[];
  readonly outputNames: readonly string[];
  run(
    feeds: Readonly<Record<string, OnnxValue>>,
    outputs: readonly string[],
  ): Promise<Readonly<Record<string, OnnxValue>>>;
  release(): Promise<void>;
}

export type CreateSession = (path: string, options: InferenceSession.SessionOptions) => Promise<RunnerSession>;

/** Reading the resident memory costs as much as a small run: it is done after long runs, and now and then. */
const rssEveryMs = 250;
const longRunMicros = 2_000;

let rssKib = 0;
let rssReadMs = Number.NEGATIVE_INFINITY;

function residentKib(runMicros: number): number {
  const now = performance.now();
  if (runMicros >= longRunMicros || now - rssReadMs >= rssEveryMs) {
    rssKib = Math.round(process.memoryUsage.rss() / 1024);
    rssReadMs = now;
  }
  return rssKib;
}

async function load(
  { path, readIntoMemory, session: options }: LoadMessage,
  createSession: CreateSession,
): Promise<{ answer: LoadedMessage; session?: RunnerSession }> {
  try {
    const externalData = readExternalData(path, readIntoMemory);
    const session = await createSession(path, {
      ...ortSessionOptions(options),
      ...(externalData.length > 0 && { externalData }),
    });
    // The session has copied them: at once they are as large as the model.
    for (const { data } of externalData) data.buffer.transfer(0);
    const model = {
      inputs: session.inputMetadata,
      outputs: session.outputMetadata,
    };
    return { answer: { ok: true, model, rssBytes: process.memoryUsage.rss() }, session };
  } catch (error) {
    return { answer: { ok: false, message: errorMessage(error) } };
  }
}

function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A buffer that is used again for every message, and grows when one needs more. */
class ReusedBuffer {
  #buffer = Buffer.allocUnsafeSlow(64 * 1024);

  take(bytes: number): Buffer {
    if (bytes > this.#buffer.byteLength) this.#buffer = Buffer.allocUnsafeSlow(bytes);
    return this.#buffer.subarray(0, bytes);
  }
}

interface RunsOptions {
  readonly shared: SharedFile | undefined;
  /** For each request of a run. @default no limit */
  readonly maxOutputBytes: number | undefined;
}

/** Reads run frames and writes result frames for one session. */
class Runs {
  #session: RunnerSession;
  readonly #shared: SharedFile | undefined;
  readonly #inputTypes: readonly DataType[];
  readonly #received = new ReusedBuffer();
  readonly #answer = new ReusedBuffer();
  readonly #maxOutputBytes: number;
  #count = 0;

  constructor(session: RunnerSession, { shared, maxOutputBytes = Number.POSITIVE_INFINITY }: RunsOptions) {
    this.#session = session;
    this.#shared = shared;
    this.#maxOutputBytes = maxOutputBytes;
    this.#inputTypes = session.inputMetadata.map((input) => (input.isTensor && datatypeOf[input.type]) || 'FP32');
  }

  /** Runs go to that session of the same model from now on. */
  async replaceSession(session: RunnerSession): Promise<void> {
    await this.#session.release();
    this.#session = session;
  }

  end(): Promise<void> {
    return this.#session.release();
  }

  /** Runs what the frame holds; the answer is valid until the next call. */
  async run(frame: Buffer): Promise<Buffer> {
    const number = this.#count;
    this.#count += 1;
    const words = frameWords(frame);
    const outputCount = words[head.a] ?? 0;
    const outputIndexes = words.subarray(headBytes / 4, headBytes / 4 + outputCount);
    const outputs = Array.from(outputIndexes, (index) => this.#session.outputNames[index] ?? '');
    const feeds = this.#feeds(frame, outputCount, number);
    const startedMs = performance.now();
    const micros = () => Math.round((performance.now() - startedMs) * 1000);
    try {
      const results = await this.#session.run(feeds, outputs);
      const runMicros = micros();
      const mostBytes = this.#maxOutputBytes * Math.max(1, words[head.b] ?? 0);
      const bytes = outputBytes(outputs.map((name) => results[name]));
      if (bytes > mostBytes) return this.#tooLarge(bytes, runMicros);
      const tensors = outputs.map((name) => toTensor(name, results[name]));
      return this.#resultFrame(tensors, runMicros, number);
    } catch (error) {
      const runMicros = micros();
      return jsonFrame(frameKind.refusal, { message: errorMessage(error) }, runMicros, residentKib(runMicros));
    }
  }

  /** Before they are sent, and would take as much memory again on both sides. */
  #tooLarge(bytes: number, runMicros: number): Buffer {
    const message = `The outputs of the model have ${bytes} bytes; at most ${this.#maxOutputBytes} are allowed for a request (OUTPUT_LIMIT_BYTES, or maxOutputBytes in model.json)`;
    const refusal: RefusalMessage = { message, tooLarge: true };
    return jsonFrame(frameKind.refusal, refusal, runMicros, residentKib(runMicros));
  }

  #feeds(frame: Buffer, skippedWords: number, number: number): Record<string, OnnxValue> {
    const datatypes = this.#inputTypes;
    const tensors = readTensorFrame(frame, { skippedWords, datatypes }, (bytes) => {
      const elements = this.#received.take(bytes);
      this.#shared?.readInRunner(number, elements);
      return elements;
    });
    const feeds: Record<string, OnnxValue> = {};
    for (const [i, metadata] of this.#session.inputMetadata.entries()) {
      const tensor = tensors[i];
      if (metadata.isTensor && tensor !== undefined) feeds[metadata.name] = feed(metadata.type, tensor);
    }
    return feeds;
  }

  #resultFrame(tensors: readonly Tensor[], runMicros: number, number: number): Buffer {
    const content = {
      kind: frameKind.result,
      a: runMicros,
      b: residentKib(runMicros),
      words: [],
      tensors: tensors.map((tensor) => ({ ...tensor, parts: [tensor] })),
    };
    return writeTensorFrame(content, {
      allocate: (bytes) => this.#answer.take(bytes),
      share: (pieces) => this.#shared?.writeFromRunner(number, pieces) ?? false,
    });
  }
}

/**
 * A tensor as the native layer reads it. It needs no instance of ONNX Runtime's Tensor class, whose constructor also
 * turns FP16 bits into a Float16Array that the native layer takes for empty.
 */
function feed(type: string, { shape, data }: Tensor): OnnxValue {
  return { type, dims: shape, data, location: 'cpu' } as unknown as OnnxValue;
}

function toTensor(name: string, value: OnnxValue | undefined): Tensor {
  const datatype = value === undefined ? undefined : datatypeOf[value.type];
  if (value === undefined || datatype === undefined) {
    throw new Error(`output ${JSON.stringify(name)} has a type that cannot be served`);
  }
  const { dims } = value;
  const data = value.data as Exclude<Tensor['data'], readonly string[]>;
  if (datatype !== 'FP16') return { datatype, shape: dims, data } as Tensor;
  return { datatype, shape: dims, data: new Uint16Array(data.buffer, data.byteOffset, data.length) };
}

/** What a runner does: it answers frames, one after the other, the first of which says what model it holds. */
export class RunnerProgram {
  readonly #createSession: CreateSession;
  readonly #sharedFd: number | undefined;
  #runs: Runs | undefined;

  /** @param sharedFd descriptor of the shared file, if a load says that there is one */
  constructor(createSession: CreateSession, sharedFd: number | undefined) {
    this.#createSession = createSession;
    this.#sharedFd = sharedFd;
  }

  /** Whether it has a model; without one after the first frame it is of no use. */
  get isLoaded(): boolean {
    return this.#runs !== undefined;
  }

  /** The answer is valid until the next call. */
  answer(frame: Buffer): Promise<Buffer> {
    const runs = this.#runs;
    if (runs !== undefined && frameWords(frame)[head.kind] !== frameKind.load) return runs.run(frame);
    return this.#load(readJson(frame) as LoadMessage);
  }

  /** Lets go of the model. */
  async end(): Promise<void> {
    await this.#runs?.end();
  }

  async #load(message: LoadMessage): Promise<Buffer> {
    const { answer, session } = await load(message, this.#createSession);
    if (session !== undefined && this.#runs !== undefined) await this.#runs.replaceSession(session);
    else if (session !== undefined) {
      const shared = message.shared && this.#sharedFd !== undefined ? new SharedFile(this.#sharedFd) : undefined;
      this.#runs = new Runs(session, { shared, maxOutputBytes: message.maxOutputBytes });
    }
    return jsonFrame(frameKind.loaded, answer);
  }
}
