import { AppError } from '../../../errors.ts';
import { timeoutParameterMs } from '../values/timeout-parameter.ts';
import { type Fields, readOptionalBoolean, readOptionalObject, readOptionalWhole, refuseField } from './fields.ts';

/** What the parameters of a request ask for. */
export interface RequestParameters {
  /** Whether outputs that do not say so themselves are binary. */
  readonly binaryOutputs: boolean;
  /** Deadline; undefined for none. */
  readonly timeoutMs: number | undefined;
  /** 1 is the highest, larger numbers are lower; 0 stands for the level of requests that name none. */
  readonly priority: number | undefined;
}

/**
 * Reads the parameters of a request. Unknown ones are of no effect, as are those of sequences: models keep no state.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_parameters.md
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_schedule_policy.md
 * @throws AppError `MALFORMED_BODY` for a value of a wrong type and for reserved names
 */
export function readRequestParameters(value: unknown): RequestParameters {
  const parameters = readParameters(value, 'parameters');
  for (const name of Object.keys(parameters)) {
    if (name !== 'headers' && !name.startsWith('triton_')) continue;
    const message = `parameters.${name}: the name is reserved`;
    throw new AppError('MALFORMED_BODY', { message, received: name });
  }
  for (const name of ['sequence_start', 'sequence_end']) readOptionalBoolean(parameters[name], `parameters.${name}`);
  return {
    binaryOutputs: readOptionalBoolean(parameters['binary_data_output'], 'parameters.binary_data_output') ?? false,
    priority: readOptionalWhole(parameters['priority'], 'parameters.priority'),
    timeoutMs: timeoutParameterMs(readOptionalWhole(parameters['timeout'], 'parameters.timeout')),
  };
}

/**
 * The parameters of a request, an input or an output, whose values are texts, numbers or booleans.
 *
 * @throws AppError `MALFORMED_BODY`
 */
export function readParameters(value: unknown, path: string): Fields {
  const parameters = readOptionalObject(value, path);
  for (const [name, member] of Object.entries(parameters)) {
    if (member === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof member)) continue;
    throw refuseField(`${path}.${name}`, member, 'a text, a number, true or false');
  }
  return parameters;
}

/** @throws AppError `MALFORMED_BODY` when a tensor is said to be in shared memory */
export function refuseSharedMemory(parameters: Fields, path: string): void {
  const member = 'shared_memory_region';
  if (parameters[member] === undefined || parameters[member] === null) return;
  const message = `${path}.parameters.${member}: shared memory is not supported`;
  throw new AppError('MALFORMED_BODY', { message, received: parameters[member] });
}
