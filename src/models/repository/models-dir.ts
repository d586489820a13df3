import { stat } from 'node:fs/promises';

/** Where KServe and SageMaker put the model of a container, and where the models of a checkout are. */
const conventionalDirs = ['/mnt/models', '/opt/ml/model', './models'] as const;

/** The first folder that exists, or the last one of all, whose absence is then an error with its name. */
export async function conventionalModelsDir(candidates: readonly string[] = conventionalDirs): Promise<string> {
  for (const folder of candidates) {
    const isFolder = await stat(folder).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isFolder) return folder;
  }
  return candidates.at(-1) ?? './models';
}
