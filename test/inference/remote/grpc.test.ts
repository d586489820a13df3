import { Metadata, Server, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, it, test } from 'vitest';
import type { PredictContext } from '../../../src/inference/predictor.ts';
import { modelInferRequest, modelInferResponse } from '../../../src/open-inference-messages/messages/infer.ts';
import { modelMetadata, ready } from '../../../src/open-inference-messages/messages/metadata.ts';
import { bytes, repeated, string } from '../../../src/open-inference-messages/protobuf/field.ts';
import {
  embedded,
  type MessageOf,
  message,
  type PartsOf,
} from '../../../src/open-inference-messages/protobuf/message.ts';
import { int64s } from '../../../src/open-inference-messages/protobuf/numbers.ts';
import { float32 } from '../../../src/tensor/tensor.ts';
import { context } from '../models.ts';
import { openOn } from './open-stand-in.ts';

type Request = MessageOf<typeof modelInferRequest>;
type Answer = Buffer | Partial<ServiceError> | PartsOf<typeof modelInferResponse>;
type Handler = (request: Request, metadata: Metadata) => Answer | Promise<Answer>;

const x = float32([1, 2], [1, 2]);
const bytesOf = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
const right = {
  modelName: 'doubling',
  outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2] }],
  rawOutputContents: [bytesOf([2, 4])],
};

/** A server of the model `doubling` that answers as the handler says. */
async function startGrpc(handler: Handler) {
  const server = new Server();
  const same = (message: Buffer) => message;
  const method = (
    name: string,
    answer: (request: Buffer, metadata: Metadata) => Promise<Buffer | Partial<ServiceError>>,
  ) =>
    server.register<Buffer, Buffer>(
      `/inference.GRPCInferenceService/${name}`,
      (
        call: { request: Buffer; metadata: Metadata },
        callback: (error: Partial<ServiceError> | null, value?: Buffer) => void,
      ) =>
        void answer(call.request, call.metadata).then((value) =>
          Buffer.isBuffer(value) ? callback(null, value) : callback(value),
        ),
      same,
      same,
      'unary',
    );
  const tensor = (name: string) => ({ name, datatype: 'FP32', shape: [-1, 2] });
  method('ModelReady', async () => ready.encode({ ready: true }));
  method('ModelMetadata', async () =>
    modelMetadata.encode({ name: 'doubling', platform: 'test', inputs: [tensor('x')], outputs: [tensor('y')] }),
  );
  method('ModelInfer', async (request, metadata) => {
    const answer = await handler(modelInferRequest.decode(request), metadata);
    if (Buffer.isBuffer(answer)) return answer;
    return 'code' in answer ? answer : modelInferResponse.encode(answer as PartsOf<typeof modelInferResponse>);
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { url: `grpc://127.0.0.1:${port}`, [Symbol.dispose]: () => server.forceShutdown() };
}

async function outcomeOf(handler: Handler, overrides: Partial<PredictContext> & { timeoutMs?: number } = {}) {
  using server = await startGrpc(handler);
  const { model } = await openOn(server.url, { maxOutputBytes: 1000, remote: { headers: { 'x-tier': 'gold' } } });
  try {
    return await model.predict({ x }, context(overrides)).then(
      ({ outputs }) => ({ outputs }),
      ({ code, message, retryAfterSeconds }) => ({ code, message, retryAfterSeconds }),
    );
  } finally {
    await model.close();
  }
}

function failing(code: status, details: string, more: Record<string, string> = {}): Handler {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(more)) metadata.set(name, value);
  return () => ({ code, details, metadata });
}

describe('a model behind gRPC', () => {
  it('gets what a request is about, and when its answer is of no use any more', async () => {
    let seen: { request: Request; metadata: Metadata } | undefined;
    const outcome = await outcomeOf(
      (request, metadata) => {
        seen = { request, metadata };
        return right;
      },
      { requestId: 'r-1', priority: 2, trace: { traceparent: '00-a-b-01' }, timeoutMs: 5000 },
    );
    expect(outcome).toEqual({ outputs: { y: float32([1, 2], [2, 4]) } });
    expect(seen?.request).toMatchObject({
      id: 'r-1',
      modelName: 'doubling',
      modelVersion: '',
      outputs: [{ name: 'y' }],
    });
    expect(Number(seen?.request.parameters.get('timeout')?.int64)).toSatisfy((us: number) => us > 4e6 && us <= 5e6);
    expect(seen?.request.parameters.get('priority')?.uint64).toBe(2n);
    expect(seen?.metadata.getMap()).toMatchObject({
      'x-request-id': 'r-1',
      traceparent: '00-a-b-01',
      'x-tier': 'gold',
    });
  });

  it('may answer in typed contents', async () => {
    const contents = message({ floats: bytes(6) });
    const output = message({ name: string(1), datatype: string(2), shape: int64s(3), contents: embedded(5, contents) });
    const response = message({ modelName: string(1), outputs: repeated(embedded(5, output)) });
    const y = { name: 'y', datatype: 'FP32', shape: [1, 2], contents: { floats: bytesOf([2, 4]) } };
    const outcome = await outcomeOf(() => response.encode({ modelName: 'doubling', outputs: [y] }));
    expect(outcome).toEqual({ outputs: { y: float32([1, 2], [2, 4]) } });
  });

  test.each<[string, Handler, object]>([
    [
      'INVALID_ARGUMENT',
      failing(status.INVALID_ARGUMENT, 'x is bad in /srv/a/b.py'),
      { code: 'MODEL_REFUSED_INPUT', message: expect.stringMatching(/x is bad in b\.py$/) },
    ],
    [
      'UNAVAILABLE',
      failing(status.UNAVAILABLE, 'busy', { 'grpc-retry-pushback-ms': '7000' }),
      { code: 'QUEUE_FULL', retryAfterSeconds: 7 },
    ],
    ['RESOURCE_EXHAUSTED', failing(status.RESOURCE_EXHAUSTED, 'busy'), { code: 'QUEUE_FULL', retryAfterSeconds: 1 }],
    ['DEADLINE_EXCEEDED', failing(status.DEADLINE_EXCEEDED, 'late'), { code: 'DEADLINE_EXCEEDED' }],
    [
      'INTERNAL',
      failing(status.INTERNAL, 'oops'),
      { code: 'REMOTE_FAILED', message: expect.stringContaining('INTERNAL, oops') },
    ],
    ['UNAUTHENTICATED', failing(status.UNAUTHENTICATED, 'who?'), { code: 'REMOTE_FAILED' }],
  ])('status %s', async (_, handler, expected) => {
    expect(await outcomeOf(handler)).toMatchObject(expected);
  });

  test.each<[string, Answer]>([
    ['a wrong shape', { ...right, outputs: [{ name: 'y', datatype: 'FP32', shape: [2, 1] }] }],
    ['a wrong type', { ...right, outputs: [{ name: 'y', datatype: 'INT32', shape: [1, 2] }] }],
    ['a wrong length', { ...right, rawOutputContents: [bytesOf([2])] }],
    ['too few tensors', { ...right, rawOutputContents: [bytesOf([2, 4]), bytesOf([2, 4])] }],
    [
      'ten times the bytes',
      {
        ...right,
        outputs: [{ name: 'y', datatype: 'FP32', shape: [200, 2] }],
        rawOutputContents: [bytesOf(new Array(400).fill(1))],
      },
    ],
    ['more than a message may have', { ...right, rawOutputContents: [new Uint8Array(1_000_000)] }],
  ])('%s is REMOTE_FAILED', async (_, answer) => {
    expect(await outcomeOf(() => answer)).toMatchObject({ code: 'REMOTE_FAILED' });
  });

  it('is given up at the deadline, and when the client is gone', async () => {
    const never = () => new Promise<Answer>(() => {});
    expect(await outcomeOf(never, { timeoutMs: 50 })).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const gone = new AbortController();
    const outcome = outcomeOf(
      () => {
        gone.abort();
        return never();
      },
      { signal: gone.signal },
    );
    expect(await outcome).toMatchObject({ code: 'CLIENT_GONE' });
  });

  it('is REMOTE_UNREACHABLE when its server is gone, without its address', async () => {
    const server = await startGrpc(() => right);
    const { model } = await openOn(server.url);
    server[Symbol.dispose]();
    await expect(model.predict({ x }, context())).rejects.toMatchObject({
      code: 'REMOTE_UNREACHABLE',
      message: expect.not.stringContaining('127.0.0.1'),
    });
    await model.close();
  });

  it('cannot be loaded while no server is there', async () => {
    await expect(openOn('grpc://127.0.0.1:1')).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' });
  });
});
