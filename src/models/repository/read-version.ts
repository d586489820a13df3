import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { AppError, toAppError } from '../../errors.ts';
import type { GraphDefinition } from '../../inference/graph/graph-definition.ts';
import type { Artifact } from '../artifact.ts';
import { refuseOutside } from '../files/refuse-outside.ts';
import { versionFiles } from '../files/version-files.ts';
import type { VersionSource } from './version-source.ts';

/** Most bytes of a `graph.json`, `remote.json` or `model.ts`: 64 steps have a hundredth of it. */
const mostBytes = 1024 * 1024;

interface FoundVersion {
  readonly version: string;
  readonly source: VersionSource;
  readonly folders: readonly string[];
  readonly manifestText: string;
}

/**
 * What the registry has to know of a version.
 *
 * @throws AppError `MODEL_LOAD_FAILED` when its file is none, is too large, or is not in the repository
 */
export async function readVersion(
  root: string,
  { version, source: { kind, path }, folders, manifestText }: FoundVersion,
): Promise<Artifact> {
  await refuseOutside(root, path);
  await refuseOther(root, path);
  const common = { version, path, root, folders };
  if (kind === 'onnx') {
    const { fingerprint } = await versionFiles(root, path, folders);
    return { kind, ...common, fingerprint: `${fingerprint}:${manifestText}` };
  }
  const text = await readText(root, path);
  const fingerprint = `${kind}:${text}:${manifestText}`;
  if (kind === 'remote') return { kind, ...common, text, fingerprint };
  if (kind === 'code') return { kind, ...common, text, fingerprint: `${fingerprint}:${await filesBeside(path)}` };
  const { membersOfGraph } = await import('../graph/members-of-graph.ts');
  const definition = await readDefinition(relative(root, path), text);
  return { kind, ...common, definition, ...membersOfGraph(definition), fingerprint };
}

/** What is wrong with a file is said when its version is loaded, since others must not wait for it. */
async function readDefinition(source: string, text: string): Promise<GraphDefinition | AppError> {
  const { readGraphFile } = await import('../../inference/graph/file/read-graph-file.ts');
  try {
    return readGraphFile(source, text);
  } catch (thrown) {
    return toAppError(thrown);
  }
}

async function readText(root: string, path: string): Promise<string> {
  const { size } = await stat(path);
  if (size <= mostBytes) return readFile(path, 'utf8');
  throw new AppError('MODEL_LOAD_FAILED', {
    message: `${relative(root, path)} has ${size} bytes; expected at most ${mostBytes}`,
    received: size,
    expected: mostBytes,
  });
}

/** Changes whenever a file does that the code may import. */
async function filesBeside(path: string): Promise<string> {
  const folder = dirname(path);
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const stats = await Promise.all(files.sort().map((name) => stat(join(folder, name), { bigint: true })));
  return stats.map(({ size, mtimeNs }, index) => `${files[index]} ${size} ${mtimeNs}`).join(' ');
}

/** A pipe would be waited for until the load is given up. */
async function refuseOther(root: string, path: string): Promise<void> {
  if ((await stat(path)).isFile()) return;
  throw new AppError('MODEL_LOAD_FAILED', { message: `${relative(root, path)} is no file` });
}
