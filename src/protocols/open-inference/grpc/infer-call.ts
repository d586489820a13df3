import { cacheStatus } from '../../../inference/cache/cache-status.ts';
import type { ModelInferRequest, ModelInferResponse } from '../../../open-inference-messages/messages/infer.ts';
import { checkAnswer } from '../../../serving/answer-limit.ts';
import type { DecodableInference, Infer } from '../../../serving/infer.ts';
import { tensorToBytes } from '../../../tensor/binary-codec.ts';
import { bestClasses } from '../values/classification.ts';
import type { CallContext } from './call/call-context.ts';
import { readCallTerms } from './call/call-terms.ts';
import { wholeParameter } from './infer-parameters.ts';
import { readInputs } from './read-inputs.ts';

/** Predicting is for keys with the scope, and for the model that the request names. */
export const inferAccess = { scope: 'infer', model: ({ modelName }: { modelName: string }) => modelName } as const;

export interface InferAnswer {
  readonly response: ModelInferResponse;
  readonly model: DecodableInference['model'];
  /** Id of the prediction in the prediction log; undefined if it is not kept. */
  readonly predictionId: string | undefined;
  /** What the cache of the model did, as the metadata say it; undefined where it has none. */
  readonly cacheStatus: string | undefined;
}

/**
 * Answers one `ModelInferRequest`. The parameter `classification` of an output asks for its best classes, as Triton has
 * it; what is neither this nor one of the {@link readCallTerms terms} is ignored.
 *
 * @throws AppError what reading the inputs, predicting and classifying throw; `MALFORMED_BODY` for a bad parameter;
 *   `ANSWER_TOO_LARGE`
 */
export async function answerInfer(infer: Infer, request: ModelInferRequest, call: CallContext): Promise<InferAnswer> {
  const wanted = request.outputs.map(({ name }) => name);
  const asks = {
    ...readCallTerms(call, request.parameters),
    model: request.modelName,
    version: request.modelVersion === '' ? undefined : request.modelVersion,
    outputs: wanted.length > 0 ? wanted : undefined,
  };
  const { answer, model, predictionId, cache } = await infer(
    asks,
    ({ signature }) => readInputs(request, signature),
    (inference) => writeResponse(request, inference),
  );
  return { response: answer, model, predictionId, cacheStatus: cache && cacheStatus(cache) };
}

function writeResponse(
  request: ModelInferRequest,
  { model, outputs, answerLimitBytes }: DecodableInference,
): ModelInferResponse {
  const all = model.signature.outputs.map(({ name }) => ({ name, parameters: undefined }));
  const named = (request.outputs.length > 0 ? request.outputs : all).flatMap(({ name, parameters }) => {
    const tensor = outputs[name];
    if (tensor === undefined) return [];
    const top = parameters && wholeParameter(parameters, 'classification');
    return [{ name, tensor: top === undefined ? tensor : bestClasses(tensor, { name, top }, model) }];
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
