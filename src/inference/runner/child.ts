/**
 * The program of a runner process: it holds one ONNX Runtime session, takes frames from the socket and answers them
 * in order. ONNX Runtime blocks its thread during a run, and a native crash ends its process; here it may do both.
 */
import { Worker } from 'node:worker_threads';
import { InferenceSession, type OnnxValue } from 'onnxruntime-node';
import type { Tensor } from '../../tensor/tensor.ts';
import { BlockingChannel } from './blocking-channel.ts';
import { align8, frameKind, frameWords, head, headBytes, jsonFrame, readJson } from './frame.ts';
import { datatypeOf, type LoadedMessage, type LoadMessage, type ValueDescription } from './messages.ts';
import { ortSessionOptions } from './session-options.ts';
import {
  descriptionWords,
  elementsBytes,
  readDescriptions,
  readElements,
  writeDescriptions,
  writeElements,
} from './tensor-block.ts';

const channelFd = 3;
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

async function load(frame: Buffer): Promise<{ answer: LoadedMessage; session?: InferenceSession }> {
  const message = readJson(frame) as LoadMessage;
  try {
    const session = await InferenceSession.create(message.path, ortSessionOptions(message.session));
    const model = {
      inputs: session.inputMetadata as ValueDescription[],
      outputs: session.outputMetadata as ValueDescription[],
    };
    return { answer: { ok: true, model, rssBytes: process.memoryUsage.rss() }, session };
  } catch (error) {
    return { answer: { ok: false, message: errorMessage(error) } };
  }
}

function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Reads run frames and writes result frames for one session. */
class Runs {
  readonly #session: InferenceSession;
  #sendBuffer = Buffer.from(new ArrayBuffer(64 * 1024));

  constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** Runs what the frame holds; the answer is valid until the next call. */
  async run(frame: Buffer): Promise<Buffer> {
    const words = frameWords(frame);
    const outputCount = words[head.a] ?? 0;
    const outputs = this.#outputNames(words.subarray(headBytes / 4, headBytes / 4 + outputCount));
    const feeds = this.#feeds(frame, words, headBytes / 4 + outputCount);
    const startedMs = performance.now();
    try {
      const results = await this.#session.run(feeds, outputs);
      const runMicros = Math.round((performance.now() - startedMs) * 1000);
      return this.#resultFrame(
        outputs.map((name) => toTensor(name, results[name])),
        runMicros,
      );
    } catch (error) {
      const runMicros = Math.round((performance.now() - startedMs) * 1000);
      return jsonFrame(frameKind.refusal, { message: errorMessage(error) }, runMicros, residentKib(runMicros));
    }
  }

  #outputNames(indexes: Uint32Array): string[] {
    return Array.from(indexes, (index) => this.#session.outputNames[index] ?? '');
  }

  #feeds(frame: Buffer, words: Uint32Array, at: number): Record<string, OnnxValue> {
    const { inputMetadata } = this.#session;
    const entries = readDescriptions(words, at, inputMetadata.length);
    const feeds: Record<string, OnnxValue> = {};
    for (const [i, metadata] of inputMetadata.entries()) {
      const entry = entries[i];
      if (!metadata.isTensor || entry === undefined) continue;
      const datatype = datatypeOf[metadata.type];
      if (datatype === undefined) continue;
      const { data, shape } = readElements(frame, datatype, entry);
      feeds[metadata.name] = feed(metadata.type, shape, data);
    }
    return feeds;
  }

  #resultFrame(tensors: readonly Tensor[], runMicros: number): Buffer {
    const joined = tensors.map((tensor) => ({ ...tensor, parts: [tensor] }));
    const sizes = joined.map(elementsBytes);
    const bodyAt = align8(headBytes + 4 * descriptionWords(joined));
    const bytes = sizes.reduce((sum, size) => sum + align8(size), bodyAt);
    if (bytes > this.#sendBuffer.byteLength) this.#sendBuffer = Buffer.from(new ArrayBuffer(2 * bytes));
    const frame = this.#sendBuffer.subarray(0, bytes);
    const words = frameWords(frame);
    words[head.bytes] = bytes;
    words[head.kind] = frameKind.result;
    words[head.a] = runMicros;
    words[head.b] = residentKib(runMicros);
    writeDescriptions(words, headBytes / 4, joined, sizes);
    let at = bodyAt;
    for (const [i, tensor] of joined.entries()) {
      writeElements(frame, at, tensor);
      at += align8(sizes[i] ?? 0);
    }
    return frame;
  }
}

/**
 * A tensor as the native layer reads it. It needs no instance of ONNX Runtime's Tensor class, whose constructor also
 * turns FP16 bits into a Float16Array that the native layer takes for empty.
 */
function feed(type: string, dims: readonly number[], data: Tensor['data']): OnnxValue {
  return { type, dims, data, location: 'cpu' } as unknown as OnnxValue;
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

async function main(): Promise<void> {
  const channel = new BlockingChannel(channelFd);
  const first = channel.read();
  if (first === undefined) return;
  const { answer, session } = await load(first);
  channel.write(jsonFrame(frameKind.loaded, answer));
  if (session === undefined) return;
  const runs = new Runs(session);
  for (let frame = channel.read(); frame !== undefined; frame = channel.read()) {
    channel.write(await runs.run(frame));
  }
}

// A signal to the whole process group is the main process's to handle: it drains its runners and closes the socket.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

new Worker(new URL(`./guard${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url), {
  resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 },
});

await main();
process.exit(0);
