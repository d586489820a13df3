import { backgroundTerms } from '../../serving/call-terms.ts';
import type { DeferredWork } from '../../serving/deferred-work.ts';
import type { Infer } from '../../serving/infer.ts';
import type { ModelFaces } from './model-faces.ts';
import { faceAnswer, facePrediction } from './predict-face.ts';
import type { ReceivedBody } from './received-body.ts';

/** What is kept of a request to the face of a model that is answered later. */
export interface FaceOrder {
  readonly model: string;
  /** Undefined: the one that answers then. */
  readonly version: string | undefined;
  readonly body: ReceivedBody;
}

/** Name of the work in what is stored. */
export const faceWorkName = 'face';

/** Predicts by the face of a model, later, with the results that its routes would answer. */
export function faceWork(faces: Pick<ModelFaces, 'lease'>, infer: Infer): DeferredWork {
  return {
    name: faceWorkName,
    async run(input, context) {
      const { model, version, body } = input as FaceOrder;
      const { prediction } = facePrediction(faces.lease(model, version, context), body);
      const { encode, decode, ...asked } = prediction;
      const { answer, predictionId } = await infer({ ...backgroundTerms(context), ...asked }, encode, decode);
      return { result: faceAnswer(answer, body), predictionId };
    },
  };
}
