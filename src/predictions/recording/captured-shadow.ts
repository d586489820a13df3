import type { ShadowRecord } from '../../serving/infer.ts';
import { copyTensors } from '../../tensor/copy.ts';
import { type CapturedEnd, type CapturedPrediction, countRows, heldBytes } from './captured-prediction.ts';

/** What is kept of a shadow: what it answered, as its primary is kept, and not the inputs, which that has. */
export function capturedShadow(shadow: ShadowRecord, uuid: string): CapturedPrediction {
  const { of, requestId, caller, domain, instances, model, inputs } = shadow;
  const end = heldEnd(shadow);
  const results = 'error' in shadow.end ? [] : shadow.end.results;
  return {
    ...end,
    uuid,
    requestId,
    caller,
    model: { name: model.name, version: model.version },
    redact: model.manifest.predictionLog.redact,
    keepsFiles: false,
    typed: domain === undefined ? undefined : { domain, instances: [] },
    shadowOf: of,
    largeInputs: undefined,
    results,
    rows: instances ?? countRows(undefined, { model, inputs, outputs: end.inference?.outputs ?? inputs }),
    bytes: heldBytes({ inference: end.inference, typed: undefined, results }),
  };
}

/** Of a typed request no tensors are held. */
function heldEnd({ end, domain }: ShadowRecord): CapturedEnd {
  if ('error' in end) return end;
  const { runs: _, ...inference } = end.inference;
  const outputs = domain === undefined ? copyTensors(inference.outputs) : {};
  return { inference: { ...inference, inputs: {}, outputs } };
}
