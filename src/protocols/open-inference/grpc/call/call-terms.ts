import type { InferParameter } from '../../../../open-inference-messages/messages/infer.ts';
import { type CallTerms, shorterMs } from '../../../../serving/call-terms.ts';
import { timeoutParameterMs } from '../../values/timeout-parameter.ts';
import { wholeParameter } from '../infer-parameters.ts';
import type { CallContext } from './call-context.ts';

/**
 * What a call asks besides its tensors, by its metadata, its deadline and the parameters of its request: `timeout`
 * (microseconds) is a deadline beside that of the call, and `priority` says how urgent it is.
 *
 * @throws AppError `MALFORMED_BODY` for a bad parameter
 */
export function readCallTerms(call: CallContext, parameters: ReadonlyMap<string, InferParameter>): CallTerms {
  return {
    requestId: call.requestId,
    caller: call.caller,
    timeoutMs: shorterMs(call.timeoutMs(), timeoutParameterMs(wholeParameter(parameters, 'timeout'))),
    signal: call.signal,
    priority: wholeParameter(parameters, 'priority'),
    trace: call.trace,
    headers: call.headers,
  };
}
