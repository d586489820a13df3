import { readModelMetadata } from '../../../client/answers.ts';
import { ClientError } from '../../../client/client-error.ts';
import { decodeInfer, jsonLengthHeader } from '../../../client/infer-message.ts';
import { type Signature, type Tensors, tensorBytes } from '../../../tensor/tensor.ts';
import { unusable } from '../failures.ts';
import { RemoteFailure } from '../remote-failure.ts';
import { signatureOf } from '../remote-signature.ts';
import type { RemoteCall, RemoteTransport } from '../transport.ts';
import { answerFailure } from './answer-failure.ts';
import { type ExchangeOptions, type HttpAnswer, HttpExchange } from './exchange.ts';
import { writeInferBody } from './infer-body.ts';

export interface HttpTransportOptions extends ExchangeOptions {
  readonly model: string;
  /** @default the one that the server chooses */
  readonly version: string | undefined;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Most bytes of metadata. */
const mostMetadataBytes = 1024 * 1024;
/** Bytes of an answer beside its tensors. */
const headBytes = 64 * 1024;
/** Characters of JSON that an element may take, by the byte that it has in memory. */
const charactersPerByte = 8;
const mostTimeoutMs = 3_600_000;

/** The Open Inference Protocol over HTTP: binary tensors where the server takes them, else JSON. */
export class HttpTransport implements RemoteTransport {
  readonly #options: HttpTransportOptions;
  readonly #exchange: HttpExchange;
  readonly #path: string;
  /** Whether the server takes binary tensors; undefined until it was asked. */
  #isBinary: boolean | undefined;

  constructor(options: HttpTransportOptions) {
    const { model, version } = options;
    this.#options = options;
    this.#exchange = new HttpExchange(options);
    const ofVersion = version === undefined ? '' : `/versions/${encodeURIComponent(version)}`;
    this.#path = `/v2/models/${encodeURIComponent(model)}${ofVersion}`;
  }

  async signature(signal: AbortSignal): Promise<Signature> {
    const answer = await this.#get(this.#path, signal);
    if (answer.status !== 200) throw answerFailure(answer);
    const signature = signatureOf(read(() => readModelMetadata(parse(answer))));
    // It may be another server than before.
    const isBinary = await this.#askBinary(signal);
    const half = [...signature.inputs, ...signature.outputs].find(({ datatype }) => datatype === 'FP16');
    if (!isBinary && half !== undefined) {
      throw unusable(`its ${JSON.stringify(half.name)} is FP16, and it does not take binary tensors`);
    }
    return signature;
  }

  async ready(signal: AbortSignal): Promise<void> {
    const answer = await this.#get(`${this.#path}/ready`, signal);
    if (answer.status !== 200) throw answerFailure(answer);
  }

  async infer(call: RemoteCall, signal: AbortSignal): Promise<Tensors> {
    const isBinary = this.#isBinary ?? (await this.#askBinary(signal));
    const { parts, jsonBytes } = writeInferBody(call, isBinary);
    const { mostBytes } = call;
    const answer = await this.#exchange.send(
      {
        method: 'POST',
        path: `${this.#path}/infer`,
        headers: this.#headersOf(call, jsonBytes),
        body: parts,
        mostBytes: headBytes + (isBinary ? mostBytes : charactersPerByte * mostBytes),
      },
      signal,
    );
    if (answer.status !== 200) throw answerFailure(answer);
    refuseCoded(answer);
    const { outputs } = read(() => decodeInfer(answer));
    const bytes = Object.values(outputs).reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
    if (bytes > mostBytes) throw unusable(`its tensors have ${bytes} bytes; expected at most ${mostBytes}`);
    return outputs;
  }

  close(): void {
    this.#exchange.close();
  }

  #get(path: string, signal: AbortSignal): Promise<HttpAnswer> {
    const headers = { ...this.#options.headers, accept: 'application/json', 'accept-encoding': 'identity' };
    return this.#exchange.send({ method: 'GET', path, headers, mostBytes: mostMetadataBytes }, signal);
  }

  /** A server that says nothing of itself has JSON, which is all that the protocol asks for. */
  async #askBinary(signal: AbortSignal): Promise<boolean> {
    const answer = await this.#get('/v2', signal);
    if (answer.status !== 200 && answer.status !== 404) throw answerFailure(answer);
    this.#isBinary = answer.status === 200 && extensionsOf(read(() => parse(answer))).includes('binary_tensor_data');
    return this.#isBinary;
  }

  #headersOf({ requestId, trace, priority, timeoutMs }: RemoteCall, jsonBytes: number | undefined) {
    return {
      ...this.#options.headers,
      'content-type': jsonBytes === undefined ? 'application/json' : 'application/octet-stream',
      ...(jsonBytes !== undefined && { [jsonLengthHeader]: String(jsonBytes) }),
      'accept-encoding': 'identity',
      'x-request-timeout-ms': String(Math.min(mostTimeoutMs, Math.max(1, Math.floor(timeoutMs)))),
      ...(requestId !== undefined && { 'x-request-id': requestId }),
      ...(priority !== undefined && { 'x-request-priority': String(priority) }),
      ...(trace !== undefined && { traceparent: trace.traceparent }),
      ...(trace?.tracestate !== undefined && { tracestate: trace.tracestate }),
    };
  }
}

function extensionsOf(metadata: unknown): readonly unknown[] {
  if (typeof metadata !== 'object' || metadata === null) return [];
  const { extensions }: { extensions?: unknown } = metadata;
  return Array.isArray(extensions) ? extensions : [];
}

/** @throws RemoteFailure `REMOTE_FAILED` */
function refuseCoded({ headers }: HttpAnswer): void {
  const coding = headers.get('content-encoding');
  if (coding !== null && coding !== 'identity') throw unusable('it is compressed, which was not asked for');
}

function parse({ bytes }: HttpAnswer): unknown {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
}

/** What cannot be read is no answer. */
function read<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof RemoteFailure) throw thrown;
    if (thrown instanceof SyntaxError) throw unusable('it is not JSON', thrown);
    if (thrown instanceof ClientError)
      throw unusable(thrown.message.replace(/^The server's answer cannot be read: /, ''), thrown);
    throw thrown;
  }
}
