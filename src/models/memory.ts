import type { Artifact } from './artifact.ts';
import { versionFiles } from './files/version-files.ts';

/** A session holds the weights of its files at least once, and twice while it loads them. */
const copiesOfWeights = 2;

/** Whether the memory that is left to this process takes the models of these files, going by their sizes. */
export async function fitsInMemory(
  versions: readonly Artifact[],
  availableBytes: number = process.availableMemory(),
): Promise<boolean> {
  const sizes = await Promise.all(
    onnxOf(versions).map(async ({ root, path, folders }) => (await versionFiles(root, path, folders)).sizeBytes),
  );
  return copiesOfWeights * sizes.reduce((sum, size) => sum + size, 0) <= availableBytes;
}

/** Other kinds hold no weights. */
function onnxOf(versions: readonly Artifact[]) {
  return versions.filter((version) => version.kind === 'onnx');
}
