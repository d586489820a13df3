import { Client, connectivityState, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  type InferParameter,
  modelInferRequest,
  modelInferResponse,
} from '../../../open-inference-messages/messages/infer.ts';
import { modelMetadata, modelSelector, ready } from '../../../open-inference-messages/messages/metadata.ts';
import type { MessageType } from '../../../open-inference-messages/protobuf/message.ts';
import { tensorToBytes } from '../../../tensor/binary-codec.ts';
import { type Signature, type Tensors, tensorBytes } from '../../../tensor/tensor.ts';
import type { Clock } from '../../../timing/clock.ts';
import { abandoned, unreachable, unusable } from '../failures.ts';
import type { RemoteFailure } from '../remote-failure.ts';
import { signatureOf } from '../remote-signature.ts';
import type { RemoteCall, RemoteTransport } from '../transport.ts';
import { callFailure } from './call-failure.ts';
import { readOutputs } from './read-outputs.ts';
import { serverIdentity } from './server-identity.ts';

export interface GrpcTransportOptions {
  readonly url: string;
  readonly model: string;
  /** @default the one that the server chooses */
  readonly version: string | undefined;
  /** Sent with every call. */
  readonly headers: Readonly<Record<string, string>>;
  /** Certificates that the server's is checked by, PEM. @default those of Node.js */
  readonly ca: Buffer | undefined;
  readonly connectTimeoutMs: number;
  /** Most bytes of a message that is received, whatever a call says. */
  readonly mostBytes: number;
  readonly clock: Clock;
}

const service = '/inference.GRPCInferenceService';
/** Bytes of an answer beside its tensors. */
const headBytes = 64 * 1024;
/** Every float that a `timeout` in microseconds has as a whole number. */
const mostMicroseconds = 3_600_000_000;

/** The Open Inference Protocol over gRPC. */
export class GrpcTransport implements RemoteTransport {
  readonly #options: GrpcTransportOptions;
  readonly #client: Client;
  readonly #selector: { readonly name: string; readonly version: string };

  constructor(options: GrpcTransportOptions) {
    const url = new URL(options.url);
    const { security, options: identity } = serverIdentity(url, options.ca);
    this.#options = options;
    this.#selector = { name: options.model, version: options.version ?? '' };
    this.#client = new Client(url.host, security, {
      ...identity,
      'grpc.max_receive_message_length': Math.min(2 ** 31 - 1, headBytes + options.mostBytes),
      'grpc.max_send_message_length': -1,
      // An answer of some megabytes comes in one go.
      'grpc-node.flow_control_window': 4 * 1024 * 1024,
      // Whether a call is sent again is decided for all protocols in one place.
      'grpc.enable_retries': 0,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      // Each URL is a server of its own.
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  async signature(signal: AbortSignal): Promise<Signature> {
    const call = { name: 'ModelMetadata', request: modelSelector.encode(this.#selector), response: modelMetadata };
    const { inputs, outputs } = await this.#call(call, signal);
    const specs = (tensors: typeof inputs) =>
      tensors.map(({ name, datatype, shape }) => ({ name, datatype, shape: Array.from(shape, Number) }));
    return signatureOf({ inputs: specs(inputs), outputs: specs(outputs) });
  }

  async ready(signal: AbortSignal): Promise<void> {
    const call = { name: 'ModelReady', request: modelSelector.encode(this.#selector), response: ready };
    const answer = await this.#call(call, signal);
    if (!answer.ready) throw unusable('its model is not ready');
  }

  async infer(call: RemoteCall, signal: AbortSignal): Promise<Tensors> {
    const { requestId, trace, timeoutMs, mostBytes } = call;
    const answer = await this.#call(
      {
        name: 'ModelInfer',
        request: modelInferRequest.encode(this.#requestOf(call)),
        response: modelInferResponse,
        timeoutMs,
        metadata: {
          ...(requestId !== undefined && { 'x-request-id': requestId }),
          ...(trace !== undefined && { traceparent: trace.traceparent }),
          ...(trace?.tracestate !== undefined && { tracestate: trace.tracestate }),
        },
      },
      signal,
    );
    const outputs = readOutputs(answer);
    const bytes = Object.values(outputs).reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
    if (bytes > mostBytes) throw unusable(`its tensors have ${bytes} bytes; expected at most ${mostBytes}`);
    return outputs;
  }

  close(): void {
    this.#client.close();
  }

  #requestOf({ inputs, outputs, requestId, priority, timeoutMs }: RemoteCall) {
    const timeout = Math.min(mostMicroseconds, Math.max(1, Math.floor(1000 * timeoutMs)));
    const parameters = new Map<string, Partial<InferParameter>>([['timeout', { int64: BigInt(timeout) }]]);
    if (priority !== undefined) parameters.set('priority', { uint64: BigInt(priority) });
    return {
      modelName: this.#selector.name,
      modelVersion: this.#selector.version,
      id: requestId,
      parameters,
      inputs: inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
      outputs: outputs.map((name) => ({ name })),
      rawInputContents: inputs.map(({ parts }) => joined(parts.map(tensorToBytes))),
    };
  }

  #call<Response>(call: Call<Response>, signal: AbortSignal): Promise<Response> {
    const { name, request, response, timeoutMs, metadata } = call;
    const { clock, connectTimeoutMs, headers } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    let settled = false;
    const settle = (failure?: RemoteFailure) => {
      if (settled) return;
      settled = true;
      stopTimer();
      signal.removeEventListener('abort', onAbort);
      if (failure !== undefined) reject(failure);
    };
    const deadline = timeoutMs === undefined ? {} : { deadline: Date.now() + Math.max(1, timeoutMs) };
    const sent = this.#client.makeUnaryRequest<Buffer, Buffer>(
      `${service}/${name}`,
      asItIs,
      asItIs,
      request,
      metadataOf({ ...headers, ...metadata }),
      deadline,
      (error: ServiceError | null, message) => {
        if (settled) return;
        if (error !== null) return settle(callFailure(error));
        try {
          resolve(response.decode(message ?? Buffer.alloc(0)));
          settle();
        } catch (thrown) {
          settle(unusable('its message cannot be read', thrown));
        }
      },
    );
    const end = (failure: RemoteFailure) => {
      settle(failure);
      sent.cancel();
    };
    const onAbort = () => end(abandoned());
    const isConnected = () => this.#client.getChannel().getConnectivityState(false) === connectivityState.READY;
    const stopTimer = isConnected()
      ? () => {}
      : clock.setTimer(connectTimeoutMs, () => {
          if (!isConnected()) end(unreachable(`no connection in ${connectTimeoutMs} ms`));
        });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    return promise;
  }
}

interface Call<Response> {
  readonly name: string;
  readonly request: Buffer;
  readonly response: MessageType<Response, never>;
  /** @default none but that of the signal */
  readonly timeoutMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

function asItIs(message: Buffer): Buffer {
  return message;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return first !== undefined && parts.length === 1 ? first : Buffer.concat(parts);
}

function metadataOf(values: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(values)) metadata.set(name, value);
  return metadata;
}
