import { AppError, toAppError } from '../../errors.ts';
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
  /** Whether the file is own code. @default false */
  readonly isCode?: boolean | undefined;
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
  const { path, isCode = false, signature, batching, given, trial, now } = options;
  const { enabled, maxSize, maxRequestRows } = batching;
  if (enabled === false) return dependent('Batching is switched off in model.json.');
  if (enabled === true) {
    const fixed = signature.inputs.find(({ shape }) => shape[0] !== -1);
    if (fixed !== undefined || signature.inputs.length === 0) return dependent(dimensionObstacle(signature) ?? '');
    return { independentRows: true, why: 'model.json says so.', provenRows: maxRequestRows };
  }
  const obstacle = dimensionObstacle(signature);
  if (obstacle !== undefined) return dependent(obstacle);
  if (isCode)
    return dependent(
      'What own code does with rows cannot be seen; batching.enabled: true in model.json says that they are independent.',
    );
  const file = await readOnnxFile(path).catch(toAppError);
  if (file instanceof AppError) return dependent(`The operators of the model could not be read: ${file.message}.`);
  const mixing = wholeTensorOperator(file);
  if (mixing !== undefined) return dependent(mixing);
  return new Proof({ trial, signature, given, vocabulary: vocabularyOf(file), maxSize, maxRequestRows, now }).show();
}

const mostWords = 200;

/** Words that operators of the model look for, such as names of categories and the terms of a text vectoriser. */
function vocabularyOf({ nodes }: OnnxFile): string[] {
  const words = new Set<string>();
  for (const { strings } of nodes) {
    for (const values of strings?.values() ?? []) {
      for (const word of values) if (/^[^\s\0]{1,40}$/.test(word)) words.add(word);
    }
  }
  return [...words].slice(0, mostWords);
}
