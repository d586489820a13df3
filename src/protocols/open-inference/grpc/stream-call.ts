import type { Buffer } from 'node:buffer';
import { type handleBidiStreamingCall, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { AppError } from '../../../errors.ts';
import {
  type ModelInferResponse,
  modelInferRequest,
  modelStreamInferResponse,
} from '../../../open-inference-messages/messages/infer.ts';
import { authorizeCall } from './call/call-access.ts';
import { type Admission, admitCall, admitStream } from './call/call-admission.ts';
import { type CallContext, callContext } from './call/call-context.ts';
import { callError } from './call/call-error.ts';
import { answerInfer, type InferAnswer, inferAccess } from './infer-call.ts';
import type { GrpcServices } from './services.ts';

export interface StreamOptions {
  readonly services: GrpcServices;
  /** Bytes of requests that a stream may have unanswered before no more are read; always at least one request. */
  readonly maxPendingBytes: number;
  /** Aborted when streams are to end after what they have read is answered. */
  readonly draining: AbortSignal;
}

/** Requests of a stream that may be unanswered before no more are read. */
const maxPending = 64;

type Stream = ServerDuplexStream<Buffer, Buffer>;

/**
 * `ModelStreamInfer`: requests are served side by side and answered in their order. A request that fails has its reason in
 * `error_message`, beside its id, and the stream goes on.
 */
export function handleStream(options: StreamOptions): handleBidiStreamingCall<Buffer, Buffer> {
  const { services } = options;
  return (stream) => {
    const context = callContext(stream);
    admitStream(stream, context, services).then(
      () => serveStream(stream, context, options),
      (thrown: unknown) => void stream.emit('error', callError(thrown, context, services.log)),
    );
  };
}

function serveStream(
  stream: Stream,
  context: CallContext,
  { services, maxPendingBytes, draining }: StreamOptions,
): void {
  let written = Promise.resolve();
  let pending = 0;
  let pendingBytes = 0;

  stream.on('data', (request: Buffer) => {
    pending += 1;
    pendingBytes += request.byteLength;
    if (pending >= maxPending || pendingBytes >= maxPendingBytes) stream.pause();
    const answer = answerOne(request, stream, context, services);
    written = written.then(async () => {
      await write(stream, await answer);
      pending -= 1;
      pendingBytes -= request.byteLength;
      if (!draining.aborted) stream.resume();
    });
  });
  stream.on('end', () => written.then(() => stream.end()));

  const drain = () => {
    stream.pause();
    const error = new AppError('SHUTTING_DOWN', { message: 'The server is shutting down' });
    written.then(() => stream.emit('error', callError(error, context, services.log)));
  };
  if (draining.aborted) drain();
  else draining.addEventListener('abort', drain, { once: true });
  stream.once('close', () => draining.removeEventListener('abort', drain));
}

async function answerOne(bytes: Buffer, stream: Stream, context: CallContext, services: GrpcServices): Promise<Buffer> {
  let id = '';
  let admission: Admission | undefined;
  try {
    const request = modelInferRequest.decode(bytes);
    id = request.id;
    admission = await admitCall(stream, context, services);
    context.caller = admission.caller;
    authorizeCall(admission.caller, inferAccess, request);
    const { response, ...named } = await answerInfer(services.infer, request, context);
    return modelStreamInferResponse.encode({ inferResponse: { ...response, ...answerParameters(named) } });
  } catch (thrown) {
    const { code, details } = callError(thrown, context, services.log);
    return modelStreamInferResponse.encode({ errorMessage: `${status[code]}: ${details}`, inferResponse: { id } });
  } finally {
    admission?.leave();
  }
}

/** The messages of a stream share its metadata: each has among its parameters what the metadata of a call say. */
function answerParameters({
  predictionId,
  cacheStatus,
}: Pick<InferAnswer, 'predictionId' | 'cacheStatus'>): Pick<ModelInferResponse, 'parameters'> {
  const parameters = new Map<string, { readonly string: string }>();
  if (predictionId !== undefined) parameters.set('prediction_id', { string: predictionId });
  if (cacheStatus !== undefined) parameters.set('cache_status', { string: cacheStatus });
  return parameters.size === 0 ? {} : { parameters };
}

/** Resolves when the message is on its way, also when its client does not take it any more. */
function write(stream: Stream, message: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (!stream.writable) resolve();
    else stream.write(message, () => resolve());
  });
}
