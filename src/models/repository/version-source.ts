import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors.ts';
import type { Artifact } from '../artifact.ts';

/** The file that a version is made of. */
export interface VersionSource {
  readonly kind: Artifact['kind'];
  readonly path: string;
}

/** Names of the file that makes a folder a version, by what it makes of it. A copy of a repository of the Hub has `onnx/`. */
const fileNames: Readonly<Record<Artifact['kind'], readonly string[]>> = {
  onnx: ['model.onnx', 'onnx/model.onnx'],
  graph: ['graph.json'],
  remote: ['remote.json'],
  code: ['model.ts'],
};

const kinds: readonly Artifact['kind'][] = ['onnx', 'graph', 'remote', 'code'];

/** Whether a file of this name in the folder of a model makes it one. */
export function isSourceName(name: string): boolean {
  return name !== 'onnx/model.onnx' && Object.values(fileNames).some((names) => names.includes(name));
}

/**
 * What a folder holds a version of; undefined when it is none.
 *
 * @throws AppError `MODEL_LOAD_FAILED` when it could be two
 */
export async function sourceIn(folder: string): Promise<VersionSource | undefined> {
  const found = (await Promise.all(kinds.map((kind) => find(folder, kind)))).filter((source) => source !== undefined);
  const [source, other] = found;
  if (source === undefined || other === undefined) return source;
  const names = found.map(({ path }) => path.slice(folder.length + 1));
  throw new AppError('MODEL_LOAD_FAILED', {
    message: `A version is made of one file, and there are ${names.join(' and ')}: keep one`,
    received: names,
    expected: 'one of model.onnx, graph.json, remote.json and model.ts',
  });
}

async function find(folder: string, kind: Artifact['kind']): Promise<VersionSource | undefined> {
  for (const name of fileNames[kind]) {
    const path = join(folder, name);
    if (await exists(path)) return { kind, path };
  }
  return undefined;
}

export function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
