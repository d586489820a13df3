import type { Manifest } from '../../models/manifest.ts';
import type { Signature } from '../../tensor/tensor.ts';

/** The output of a model that is the answer proper: as `model.json` says, else the first that is no float, else the first. */
export function tensorTarget({ predictionLog }: Manifest, signature: Signature | undefined): string | undefined {
  const outputs = signature?.outputs ?? [];
  const notFloat = outputs.find(({ datatype }) => !datatype.startsWith('FP'));
  return predictionLog.target ?? notFloat?.name ?? outputs[0]?.name;
}
