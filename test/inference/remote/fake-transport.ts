import { unreachable } from '../../../src/inference/remote/failures.ts';
import { openRemote, type RemoteModelOptions } from '../../../src/inference/remote/open-remote.ts';
import type { RemoteEvents } from '../../../src/inference/remote/remote-events.ts';
import type { RemoteCall, RemoteTransport } from '../../../src/inference/remote/transport.ts';
import { float32, type Signature, type Tensors } from '../../../src/tensor/tensor.ts';
import type { Clock } from '../../../src/timing/clock.ts';
import { recordingLog } from '../models.ts';

const rows = [-1, 2];

export const doubling: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: rows }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: rows }],
};

export type Answer = (call: RemoteCall, signal: AbortSignal) => Promise<Tensors>;

/** A server that a test makes say what it likes. */
export class FakeTransport implements RemoteTransport {
  signatureNow: Signature = doubling;
  isDown = false;
  answer: Answer = async (call) => doubled(call);
  readonly calls: RemoteCall[] = [];
  looks = 0;

  async signature(): Promise<Signature> {
    this.looks += 1;
    if (this.isDown) throw unreachable('ECONNREFUSED');
    return this.signatureNow;
  }

  async ready(): Promise<void> {
    if (this.isDown) throw unreachable('ECONNREFUSED');
  }

  async infer(call: RemoteCall, signal: AbortSignal): Promise<Tensors> {
    this.calls.push(call);
    if (this.isDown) throw unreachable('ECONNREFUSED');
    return this.answer(call, signal);
  }

  close(): void {}
}

export function doubled({ inputs: [x] }: RemoteCall): Tensors {
  const values = (x?.parts ?? []).flatMap((part) => (part.datatype === 'FP32' ? [...part.data] : []));
  return {
    y: float32(
      x?.shape ?? [0, 2],
      values.map((value) => 2 * value),
    ),
  };
}

export interface FakeRemoteOptions {
  readonly clock: Clock;
  readonly servers?: number;
  readonly joins?: boolean;
  readonly concurrency?: number;
  readonly maxQueueRows?: number;
  readonly withSignature?: boolean;
  readonly prepare?: (transports: readonly FakeTransport[]) => void;
}

/** A model on servers of the test. */
export async function openFakeRemote(options: FakeRemoteOptions) {
  const { clock, servers = 1, joins = false, concurrency = 4, maxQueueRows = 4096, prepare } = options;
  const transports = Array.from({ length: servers }, () => new FakeTransport());
  prepare?.(transports);
  const outcomes: [string, string][] = [];
  const retried: string[] = [];
  const remoteEvents: RemoteEvents = {
    onRequest: (endpoint, outcome) => void outcomes.push([endpoint, outcome]),
    onRetry: (endpoint) => void retried.push(endpoint),
  };
  const remote = {
    urls: transports.map((_, index) => `http://server-${index}:8000`),
    protocol: 'http',
    model: 'doubling',
    concurrency,
    connectTimeoutMs: 500,
    headers: {},
    inputs: options.withSignature ? [{ name: 'x', datatype: 'FP32', shape: rows }] : [],
    outputs: options.withSignature ? [{ name: 'y', datatype: 'FP32', shape: rows }] : [],
  } as const satisfies Partial<RemoteModelOptions['remote']>;
  const log = recordingLog();
  const opened = await openRemote(
    {
      name: 'far',
      version: '1',
      remote: { ...remote, inputs: [...remote.inputs], outputs: [...remote.outputs], urls: [...remote.urls] },
      batching: {
        enabled: joins,
        maxSize: 32,
        maxRequestRows: 1024,
        maxDelayMs: 0,
        maxQueueRows,
        maxQueueBytes: 2 ** 28,
      },
      timeoutMs: 30_000,
      maxOutputBytes: 2 ** 20,
    },
    {
      clock,
      log,
      remoteEvents,
      openTransport: (url) => {
        const transport = transports[Number(/server-(\d+)/.exec(url)?.[1])];
        if (transport === undefined) throw new Error(url);
        return transport;
      },
    },
  );
  return { ...opened, transports, outcomes, retried, log };
}
