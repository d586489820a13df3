import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors.ts';
import { refuseOutside } from '../../models/files/refuse-outside.ts';
import { type Distribution, distributionSchema } from './distribution.ts';

/** Name of the file beside `model.onnx` that has the distribution of the training data. */
export const distributionFileName = 'distribution.json';

/**
 * The distribution of the data that a version was trained on; undefined if none lies beside it.
 *
 * @param model name of a model in the repository
 * @throws AppError `DISTRIBUTION_INVALID` if the file is something else
 */
export async function readDistribution(
  modelsDir: string,
  model: string,
  version: string,
): Promise<Distribution | undefined> {
  const root = await realpath(modelsDir);
  const path = join(root, model, version, distributionFileName);
  const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
    if (isMissing(thrown)) return undefined;
    throw invalid(path, thrown);
  });
  if (text === undefined) return undefined;
  await refuseOutside(root, path);
  try {
    return distributionSchema.parse(JSON.parse(text.replace(/^\uFEFF/, '')));
  } catch (thrown) {
    throw invalid(path, thrown);
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR');
}

function invalid(path: string, cause: unknown): AppError {
  return new AppError('DISTRIBUTION_INVALID', { message: `${path} is no distribution of training data`, cause });
}
