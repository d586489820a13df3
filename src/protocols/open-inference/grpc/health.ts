import type { Buffer } from 'node:buffer';
import type { handleServerStreamingCall } from '@grpc/grpc-js';
import { AppError } from '../../../errors.ts';
import {
  healthCheckRequest,
  healthCheckResponse,
  type ServingStatus,
  servingStatus,
} from '../../../open-inference-messages/messages/health.ts';
import type { ReadinessGate } from '../../../serving/readiness.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { quote } from '../../../tensor/malformed-tensor.ts';
import type { Clock } from '../../../timing/clock.ts';
import { callContext } from './call/call-context.ts';
import { callError } from './call/call-error.ts';
import { type UnaryCall, unary } from './call/unary.ts';

/** The services whose health can be asked for; the empty name means the server as a whole. */
const services: readonly string[] = ['', 'inference.GRPCInferenceService'];

/** How often a watcher looks whether the status has changed. */
const watchIntervalMs = 500;

/** `Check` of `grpc.health.v1`: SERVING while every model is ready. */
export function healthCheck(readiness: ReadinessGate): UnaryCall {
  return unary(
    { name: 'Check', access: 'open', request: healthCheckRequest, response: healthCheckResponse },
    ({ service }) => {
      const status = statusOf(service, readiness);
      if (status !== servingStatus.serviceUnknown) return { status };
      const message = `There is no service ${quote(service)}; there is: ${services.filter(Boolean).join(', ')}`;
      throw new AppError('ROUTE_NOT_FOUND', { message, received: service, expected: services });
    },
  );
}

export interface WatchOptions {
  readonly readiness: ReadinessGate;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborted when the watchers are to be sent away. */
  readonly draining: AbortSignal;
}

/** `Watch` of `grpc.health.v1`: the status at once, and again whenever it changes. */
export function handleHealthWatch({
  readiness,
  clock,
  log,
  draining,
}: WatchOptions): handleServerStreamingCall<Buffer, Buffer> {
  return (stream) => {
    let service: string;
    try {
      service = healthCheckRequest.decode(stream.request).service;
    } catch (thrown) {
      stream.emit('error', callError(thrown, callContext(stream), log));
      return;
    }
    let last: ServingStatus | undefined;
    let cancelTimer = () => {};
    const look = () => {
      const status = statusOf(service, readiness);
      if (status !== last) stream.write(healthCheckResponse.encode({ status }));
      last = status;
      cancelTimer = clock.setTimer(watchIntervalMs, look);
    };
    const end = () => {
      cancelTimer();
      look();
      cancelTimer();
      stream.end();
    };
    stream.once('close', () => {
      cancelTimer();
      draining.removeEventListener('abort', end);
    });
    if (draining.aborted) return end();
    draining.addEventListener('abort', end, { once: true });
    look();
  };
}

function statusOf(service: string, readiness: ReadinessGate): ServingStatus {
  if (!services.includes(service)) return servingStatus.serviceUnknown;
  return readiness.check().ready ? servingStatus.serving : servingStatus.notServing;
}
