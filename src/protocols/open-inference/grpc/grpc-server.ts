import type { Buffer } from 'node:buffer';
import type { Server as NetServer } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { modelInferRequest, modelInferResponse } from '../../../open-inference-messages/messages/infer.ts';
import type { TlsPair } from '../../../transport/tls-files.ts';
import { handleUnary, unary } from './call/unary.ts';
import { handleHealthWatch, healthCheck } from './health.ts';
import { answerInfer, inferAccess } from './infer-call.ts';
import { type ListenOptions, listen } from './listen.ts';
import { modelCalls } from './model-calls.ts';
import { repositoryCalls } from './repository-calls.ts';
import type { GrpcServices } from './services.ts';
import { statisticsCall } from './statistics-call.ts';
import { handleStream } from './stream-call.ts';

export interface GrpcOptions extends ListenOptions {
  /** Largest message that is taken. */
  readonly bodyLimitBytes: number;
  /** Certificate and key as they are at the start; undefined: plain text. */
  readonly tls: TlsPair | undefined;
  /** Most calls of one connection at the same time. */
  readonly maxStreams: number;
  /** How long a connection without a call is kept. */
  readonly idleTimeoutMs: number;
}

/** A gRPC server that listens. */
export interface GrpcServer {
  readonly port: number;
  /** Takes no new calls, ends streams, and resolves when the calls in flight are answered. */
  stop(): Promise<void>;
}

const inferenceService = 'inference.GRPCInferenceService';
const healthService = 'grpc.health.v1.Health';

/**
 * Serves the Open Inference Protocol with Triton's extensions, and the health service of gRPC.
 *
 * @throws AppError `SETTINGS_INVALID` when the port cannot be had
 */
export async function startGrpcServer(options: GrpcOptions, services: GrpcServices): Promise<GrpcServer> {
  const { bodyLimitBytes } = options;
  const { log, readiness, clock } = services;
  const draining = new AbortController();
  const server = new Server({
    'grpc.max_receive_message_length': bodyLimitBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': options.maxStreams,
    ...(options.idleTimeoutMs > 0 && { 'grpc.max_connection_idle_ms': options.idleTimeoutMs }),
    // A connection whose other end is gone is found out, and its calls are cancelled.
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
  });

  const inferCall = unary(
    { name: 'ModelInfer', access: inferAccess, request: modelInferRequest, response: modelInferResponse },
    async (request, context, callLog) => {
      const { response, model, predictionId, cacheStatus } = await answerInfer(services.infer, request, context);
      callLog.servedModel = model;
      context.predictionId = predictionId;
      context.cacheStatus = cacheStatus;
      return response;
    },
  );
  const calls = [inferCall, ...modelCalls(services), ...repositoryCalls(services), statisticsCall(services)];
  for (const call of calls) {
    server.register(`/${inferenceService}/${call.name}`, handleUnary(call, services), asItIs, asItIs, 'unary');
  }
  const stream = handleStream({ services, maxPendingBytes: bodyLimitBytes, draining: draining.signal });
  server.register(`/${inferenceService}/ModelStreamInfer`, stream, asItIs, asItIs, 'bidi');
  server.register(`/${healthService}/Check`, handleUnary(healthCheck(readiness), services), asItIs, asItIs, 'unary');
  const watch = handleHealthWatch({ readiness, clock, log, draining: draining.signal });
  server.register(`/${healthService}/Watch`, watch, asItIs, asItIs, 'serverStream');

  const sockets = await listen(server, credentialsOf(options), options);
  return {
    port: portOf(sockets),
    stop: () =>
      new Promise((resolve, reject) => {
        draining.abort();
        sockets.close();
        server.tryShutdown((error) => (error === undefined ? resolve() : reject(error)));
      }),
  };
}

/** Messages are read and written by the calls, so that one that cannot be read is the client's error. */
function asItIs(message: Buffer): Buffer {
  return message;
}

function credentialsOf({ tls }: GrpcOptions): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }]);
}

function portOf(sockets: NetServer): number {
  const address = sockets.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
