import type { ShadowSettings } from '../../models/traffic/traffic-settings.ts';
import { copyTensors, tensorsBytes } from '../../tensor/copy.ts';
import type { Tensors } from '../../tensor/tensor.ts';
import type { AnsweredRequest, Decode, InferRequest, ShadowRecord } from '../infer.ts';
import type { ServedModel } from '../served-model.ts';
import { comparedOutputs } from './compare-outputs.ts';
import { valueBytes } from './value-bytes.ts';

/** What is kept of a request until a shadow has answered it: nothing of it is the memory of the request. */
export interface ShadowCopy {
  readonly settings: ShadowSettings;
  readonly model: ServedModel;
  readonly terms: Pick<InferRequest, 'requestId' | 'caller' | 'headers'>;
  /** Names of the outputs that the client was given. */
  readonly outputNames: readonly string[];
  /** The inputs of each run. */
  readonly runs: readonly Tensors[];
  /** Whether the request was made into several runs by its encoder or its instances. */
  readonly isSplit: boolean;
  readonly groups: readonly (readonly number[])[] | undefined;
  /** What the client was given of each run, as far as it is compared. */
  readonly expected: readonly Tensors[];
  readonly record: Pick<ShadowRecord, 'of' | 'domain' | 'instances'> | undefined;
  /** Undefined where no results are kept. */
  readonly decode: Decode<unknown> | undefined;
  readonly answerLimitBytes: number;
}

/** @returns undefined where that would be larger than the settings let it be */
export function copyForShadow(answered: AnsweredRequest, settings: ShadowSettings): ShadowCopy | undefined {
  const { request, inference, kept, predictionId, decode } = answered;
  const { typed, requestId, caller, headers } = request;
  const { model, outputs, runs = [outputs], groups, answerLimitBytes } = inference;
  const compared = runs.map((run) => comparedOutputs(run, model.manifest.predictionLog.target));
  // What decodes the results holds on to the instances.
  const isDecoded = typed !== undefined && predictionId !== undefined;
  const instanceBytes = isDecoded ? valueBytes(typed.instances) : 0;
  const isTooLarge = (bytes: number) => bytes > settings.maxBytes;
  if (kept.isTooLarge || isTooLarge(instanceBytes)) return undefined;
  if (isTooLarge(compared.reduce((sum, run) => sum + tensorsBytes(run), 0))) return undefined;
  return {
    settings,
    model,
    terms: { requestId, caller, headers },
    outputNames: Object.keys(runs[0] ?? {}),
    runs: kept.runs.map(copyTensors),
    isSplit: inference.runs !== undefined,
    groups,
    expected: compared.map(copyTensors),
    record:
      predictionId === undefined
        ? undefined
        : { of: predictionId, domain: typed?.domain, instances: typed?.instances.length },
    decode: isDecoded ? decode : undefined,
    answerLimitBytes,
  };
}
