import type { Buffer } from 'node:buffer';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { AppError } from '../../errors.ts';
import type { TlsPair } from '../../http/tls-files.ts';
import { handleHealthWatch, healthCheck } from './health.ts';
import { answerInfer, inferAccess } from './infer-call.ts';
import { modelInferRequest, modelInferResponse } from './messages/infer.ts';
import { modelCalls } from './model-calls.ts';
import { repositoryCalls } from './repository-calls.ts';
import type { GrpcServices } from './services.ts';
import { statisticsCall } from './statistics-call.ts';
import { handleStream } from './stream-call.ts';
import { handleUnary, unary } from './unary.ts';

export interface GrpcOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Largest message that is taken. */
  readonly bodyLimitBytes: number;
  /** Certificate and key as they are at the start; undefined: plain text. */
  readonly tls: TlsPair | undefined;
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
    // A connection whose other end is gone is found out, and its calls are cancelled.
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
  });

  const inferCall = unary(
    { name: 'ModelInfer', access: inferAccess, request: modelInferRequest, response: modelInferResponse },
    async (request, context, callLog) => {
      const { response, model, predictionId } = await answerInfer(services.infer, request, context);
      callLog.servedModel = model;
      context.predictionId = predictionId;
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

  const port = await bind(server, options);
  return {
    port,
    stop: () =>
      new Promise((resolve, reject) => {
        draining.abort();
        server.tryShutdown((error) => (error === undefined ? resolve() : reject(error)));
      }),
  };
}

/** Messages are read and written by the calls, so that one that cannot be read is the client's error. */
function asItIs(message: Buffer): Buffer {
  return message;
}

function bind(server: Server, { host, port, tls }: GrpcOptions): Promise<number> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }]);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else
        reject(new AppError('SETTINGS_INVALID', { message: `GRPC_PORT: cannot listen at ${address}`, cause: error }));
    });
  });
}
