import type { Buffer } from 'node:buffer';
import { type handleUnaryCall, status } from '@grpc/grpc-js';
import type { Caller } from '../../../../access/caller.ts';
import type { MessageType } from '../../../../open-inference-messages/protobuf/message.ts';
import type { GrpcServices } from '../services.ts';
import { authorizeCall, type CallAccess } from './call-access.ts';
import { type Admission, admitCall } from './call-admission.ts';
import { answerMetadata, type CallContext, callContext } from './call-context.ts';
import { callError } from './call-error.ts';

/** What a call took and gave, for the log. */
export interface CallLog {
  servedModel?: { readonly name: string; readonly version: string };
  /** Id of the API key. */
  key?: string | undefined;
}

/** A call of one request and one response. */
export interface UnaryCall {
  readonly name: string;
  /** Whether every caller may make the call, without an API key. */
  readonly isOpen: boolean;
  /** @param caller undefined when there are no keys, or the call is open */
  answer(request: Uint8Array, context: CallContext, log: CallLog, caller: Caller | undefined): Promise<Buffer>;
}

export interface UnaryTypes<Request, Response> {
  readonly name: string;
  readonly access: CallAccess<Request>;
  readonly request: MessageType<Request, never>;
  readonly response: MessageType<unknown, Response>;
}

/** A call from the types of its messages, and what answers it. */
export function unary<Request, Response>(
  { name, access, request: requestType, response: responseType }: UnaryTypes<Request, Response>,
  answer: (request: Request, context: CallContext, log: CallLog) => Response | Promise<Response>,
): UnaryCall {
  return {
    name,
    isOpen: access === 'open',
    async answer(bytes, context, log, caller) {
      const request = requestType.decode(bytes);
      authorizeCall(caller, access, request);
      return responseType.encode(await answer(request, context, log));
    },
  };
}

/** Lets the library make the call: with the deadline, the cancellation and the status codes of gRPC, and a line in the log. */
export function handleUnary(
  call: UnaryCall,
  services: Pick<GrpcServices, 'log' | 'keys' | 'limits' | 'bodies'>,
): handleUnaryCall<Buffer, Buffer> {
  return async (received, callback) => {
    const { log } = services;
    const startedMs = performance.now();
    const context = callContext(received);
    const callLog: CallLog = {};
    const logEnd = (code: status) => {
      const { servedModel } = callLog;
      log.info({
        request_id: context.requestId,
        rpc: call.name,
        grpc_status: status[code],
        ms: Math.round((performance.now() - startedMs) * 1000) / 1000,
        key: callLog.key,
        model: servedModel?.name,
        version: servedModel?.version,
      });
    };
    let admission: Admission | undefined;
    const lease = services.bodies.lease();
    try {
      lease.take(received.request.byteLength);
      if (!call.isOpen) admission = await admitCall(received, context, services);
      const caller = admission?.caller;
      callLog.key = caller?.id;
      context.caller = caller;
      const response = await call.answer(received.request, context, callLog, caller);
      received.sendMetadata(answerMetadata(context));
      callback(null, response);
      logEnd(status.OK);
    } catch (thrown) {
      const error = callError(thrown, context, log);
      callback(error);
      logEnd(error.code);
    } finally {
      lease.end();
      admission?.leave();
    }
  };
}
