import { AppError } from '../../errors.ts';
import { checkAnswer } from '../../serving/answer-limit.ts';
import type { Infer, InferResult } from '../../serving/infer.ts';
import { tensorToBytes } from '../../tensor/binary-codec.ts';
import { classify } from '../../tensor/classification.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { hasRowsOfClasses } from '../class-rows.ts';
import type { CallContext } from './call-context.ts';
import type { InferParameter, ModelInferRequest, ModelInferResponse } from './messages/infer.ts';
import { readInputs } from './read-inputs.ts';

/** Predicting is for keys with the scope, and for the model that the request names. */
export const inferAccess = { scope: 'infer', model: ({ modelName }: { modelName: string }) => modelName } as const;

export interface InferAnswer {
  readonly response: ModelInferResponse;
  readonly model: InferResult['model'];
  /** Id of the prediction in the prediction log; undefined if it is not kept. */
  readonly predictionId: string | undefined;
}

/**
 * Answers one `ModelInferRequest`. The parameter `timeout` (microseconds) is a deadline beside that of the call, `priority`
 * says how urgent it is, and the parameter `classification` of an output asks for its best classes, all as Triton has
 * them; others are ignored.
 *
 * @throws AppError what reading the inputs, predicting and classifying throw; `MALFORMED_BODY` for a bad parameter;
 *   `ANSWER_TOO_LARGE`
 */
export async function answerInfer(infer: Infer, request: ModelInferRequest, call: CallContext): Promise<InferAnswer> {
  const wanted = request.outputs.map(({ name }) => name);
  const result = await infer(
    {
      model: request.modelName,
      version: request.modelVersion === '' ? undefined : request.modelVersion,
      requestId: call.requestId,
      caller: call.caller,
      signal: call.signal,
      trace: call.trace,
      timeoutMs: shortest(call.timeoutMs(), timeoutParameterMs(request.parameters)),
      priority: wholeParameter(request.parameters, 'priority'),
      ...(wanted.length > 0 && { outputs: wanted }),
    },
    ({ signature }) => readInputs(request, signature),
  );
  const { model, predictionId } = result;
  return { response: writeResponse(request, result), model, predictionId };
}

function writeResponse(
  request: ModelInferRequest,
  { model, outputs, answerLimitBytes }: InferResult,
): ModelInferResponse {
  const all = model.signature.outputs.map(({ name }) => ({ name, parameters: undefined }));
  const named = (request.outputs.length > 0 ? request.outputs : all).flatMap(({ name, parameters }) => {
    const tensor = outputs[name];
    if (tensor === undefined) return [];
    const top = parameters?.get('classification');
    return [{ name, tensor: top === undefined ? tensor : bestClasses(tensor, name, { top, model }) }];
  });
  checkAnswer(
    named.map(({ tensor }) => tensor),
    answerLimitBytes,
  );
  return {
    modelName: model.name,
    modelVersion: model.version,
    id: request.id,
    outputs: named.map(({ name, tensor: { datatype, shape } }) => ({ name, datatype, shape })),
    rawOutputContents: named.map(({ tensor }) => tensorToBytes(tensor)),
  };
}

function bestClasses(
  tensor: Tensor,
  name: string,
  { top, model }: { top: InferParameter; model: InferResult['model'] },
): Tensor {
  const labels = Object.hasOwn(model.manifest.labels, name) ? model.manifest.labels[name] : undefined;
  return classify(tensor, name, {
    top: wholeNumber('classification', top),
    batched: hasRowsOfClasses(model, name),
    labels,
  });
}

/** The parameter `timeout`, in milliseconds; 0 stands for none. */
function timeoutParameterMs(parameters: ReadonlyMap<string, InferParameter>): number | undefined {
  const timeoutUs = wholeParameter(parameters, 'timeout') ?? 0;
  return timeoutUs === 0 ? undefined : timeoutUs / 1000;
}

function wholeParameter(parameters: ReadonlyMap<string, InferParameter>, name: string): number | undefined {
  const parameter = parameters.get(name);
  return parameter && wholeNumber(name, parameter);
}

function wholeNumber(name: string, { int64, uint64 }: InferParameter): number {
  const value = int64 ?? uint64;
  if (value !== undefined && value >= 0n) return Number(value);
  const message = `The parameter ${name} is ${value ?? 'not a whole number'}, expected a whole number from 0`;
  throw new AppError('MALFORMED_BODY', { message, received: value, expected: 'a whole number from 0' });
}

function shortest(...timeoutsMs: readonly (number | undefined)[]): number | undefined {
  const given = timeoutsMs.filter((timeoutMs) => timeoutMs !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}
