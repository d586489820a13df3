import type { OnnxFile } from '../../onnx-file/onnx-file.ts';
import { readOnnxFile } from '../../onnx-file/read-onnx-file.ts';
import type { Signature, Tensors } from '../../tensor/tensor.ts';
import type { BatchingOptions } from '../model-options.ts';
import { dimensionObstacle } from './dimensions.ts';
import { dependent, type Independence } from './independence.ts';
import { Proof } from './prove.ts';
import type { TrialRunner } from './trial-runner.ts';
import { wholeTensorOperator } from './whole-tensor-operators.ts';

export interface DecideOptions {
  /** Path of the `.onnx` file. */
  readonly path: string;
  readonly signature: Signature;
  readonly batching: BatchingOptions;
  /** Warm-up requests of the operator. */
  readonly given: readonly Tensors[] | undefined;
  readonly trial: TrialRunner;
  readonly now: () => number;
}

/**
 * Whether requests for a model may share runs: as the operator says, else if nothing in its shapes and operators speaks
 * against it and a trial shows it.
 *
 * @throws TrialDied when the runner does not survive the trial
 */
export async function decideIndependence(options: DecideOptions): Promise<Independence> {
  const { path, signature, batching, given, trial, now } = options;
  const { enabled, maxSize, maxRequestRows } = batching;
  if (enabled === false) return dependent('Batching is switched off in model.json.');
  if (enabled === true) {
    const fixed = signature.inputs.find(({ shape }) => shape[0] !== -1);
    if (fixed !== undefined || signature.inputs.length === 0) return dependent(dimensionObstacle(signature) ?? '');
    return { independentRows: true, why: 'model.json says so.', provenRows: maxRequestRows };
  }
  const obstacle = dimensionObstacle(signature) ?? (await operatorObstacle(path));
  if (obstacle !== undefined) return dependent(obstacle);
  return new Proof({ trial, signature, given, maxSize, maxRequestRows, now }).show();
}

async function operatorObstacle(path: string): Promise<string | undefined> {
  let file: OnnxFile;
  try {
    file = await readOnnxFile(path);
  } catch (error) {
    return `The operators of the model could not be read: ${error instanceof Error ? error.message : String(error)}.`;
  }
  return wholeTensorOperator(file);
}
