import type { AnyDomain } from '../../domains/define-domain.ts';
import type { Instances } from '../../domains/instances.ts';
import { decodeRuns, groupedInstances, separateInstances, typedRequest } from '../../domains/typed-request.ts';
import type { Prediction } from '../../http/prediction/predict-tensors.ts';
import type { LeasedFace } from './model-faces.ts';
import { instancesOf, type ReceivedBody } from './received-body.ts';

/** A body as the face of a version takes it. */
export interface FacePrediction {
  readonly instances: Instances;
  readonly prediction: Prediction<unknown[]>;
}

/**
 * What is to be predicted, with the version that has validated it. The lease is for `infer` to release.
 *
 * @throws AppError `VALIDATION_FAILED`; the lease is released then
 */
export function facePrediction({ face, lease }: LeasedFace, body: ReceivedBody): FacePrediction {
  try {
    const options = face.optionsOf(body.query);
    const domain = face.domainWith(options);
    const instances = instancesOf(domain, body);
    const logged = domain.file === undefined ? sentInstances(body) : undefined;
    const prediction = predictionOf(domain, instances.values, { logged, options });
    return { instances, prediction: { ...prediction, version: lease.version, lease } };
  } catch (thrown) {
    lease.release();
    throw thrown;
  }
}

/**
 * As {@link facePrediction}, for instances that were made of a request of another form.
 *
 * @param options those of the face, as a query would have them
 */
export function instancePrediction(
  { face, lease }: LeasedFace,
  values: readonly unknown[],
  options: Readonly<Record<string, unknown>>,
): Prediction<unknown[]> {
  return { ...predictionOf(face.domainWith(options), values, { options }), version: lease.version, lease };
}

type Options = Readonly<Record<string, unknown>> | undefined;

function predictionOf(
  domain: AnyDomain,
  values: readonly unknown[],
  { logged = values, options }: { readonly logged?: readonly unknown[] | undefined; readonly options: Options },
): Prediction<unknown[]> {
  const kept = options !== undefined && Object.keys(options).length > 0 ? options : undefined;
  return {
    model: domain.model,
    typed: typedRequest(domain, logged, kept),
    separate: separateInstances(domain, values),
    grouped: groupedInstances(domain, values),
    encode: (model, context) => domain.encode(values, model, context),
    decode: (inference) => decodeRuns(domain, inference, values),
  };
}

/** What the client sent, so that it can be sent again: what stands for a missing value is the version's own. */
function sentInstances({ shape, content }: ReceivedBody): readonly unknown[] | undefined {
  if (!('json' in content)) return undefined;
  if (shape === 'one') return [content.json];
  const { instances } = content.json as { readonly instances: readonly unknown[] };
  return instances;
}

/** The answer to one instance, or to many. */
export function faceAnswer(results: readonly unknown[], { shape }: ReceivedBody): unknown {
  return shape === 'one' ? results[0] : { predictions: results };
}
