import type { Manifest } from '../models/manifest.ts';
import type { ShadowSettings } from '../models/traffic/traffic-settings.ts';
import type { Signature } from '../tensor/tensor.ts';
import type { ComparisonRules } from './shadow-results.ts';

/** Field of the results of a domain that is the answer proper, by the name of the domain. */
export type Targets = Pick<ReadonlyMap<string, string>, 'get'>;

/** The version that answers, as far as a comparison has to know it. */
interface Answering {
  readonly manifest: Manifest;
  /** Undefined while it is not loaded. */
  readonly predictor: { readonly signature: Signature } | undefined;
}

export function comparisonRules(
  { manifest, predictor }: Answering,
  { tolerance }: Pick<ShadowSettings, 'tolerance'>,
  targets: Targets,
): ComparisonRules {
  const { predictionLog, labels } = manifest;
  const notFloat = predictor?.signature.outputs.find(({ datatype }) => !datatype.startsWith('FP'));
  const ofTensors = predictionLog.target ?? notFloat?.name;
  const targetOf = (domain: string | null) => (domain === null ? ofTensors : targets.get(domain));
  return {
    task: predictionLog.task,
    tolerance,
    targetOf: ({ domain }) => targetOf(domain),
    classNamesOf: ({ domain }) =>
      [targetOf(domain), ofTensors]
        .map((name) => (name === undefined ? undefined : labels[name]))
        .find((names) => names),
  };
}
