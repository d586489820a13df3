import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import type { OnnxArtifact } from '../artifact.ts';
import { companionFiles } from '../files/companion-files.ts';
import { versionFiles } from '../files/version-files.ts';
import type { GraphBinding } from '../graph/graph-binding.ts';
import type { Manifest } from '../manifest.ts';
import type { Members } from '../registry/lease.ts';

/**
 * The SHA-256 of all files of a version, of how its sessions are opened, and of the version of ONNX Runtime. Each file is
 * read once, as a stream.
 *
 * @returns undefined where the files are not what was loaded any more
 */
export async function identityOfFiles(
  artifact: OnnxArtifact,
  { session }: Pick<Manifest, 'session'>,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { root, path, folders } = artifact;
  const before = await versionFiles(root, path, folders);
  const sum = createHash('sha256').update(JSON.stringify(['onnx', await runtimeVersion(), session]));
  const companions = await companionFiles(folders);
  const files = [
    { name: basename(path), path },
    ...before.externalData.map((name) => ({ name, path: join(dirname(path), name) })),
    ...companions,
  ];
  for (const file of files) sum.update(JSON.stringify([file.name, await digestOf(file.path, signal)]));
  const after = await versionFiles(root, path, folders);
  const isSame = after.fingerprint === before.fingerprint && artifact.fingerprint.startsWith(`${after.fingerprint}:`);
  return isSame ? sum.digest('hex') : undefined;
}

/**
 * The SHA-256 of what a graph says, and of what its members are.
 *
 * @returns undefined where that of a member cannot be told
 */
export async function identityOfGraph(
  definition: object,
  binding: Pick<GraphBinding, 'members'>,
  members: Members,
): Promise<string | undefined> {
  const identities: string[] = [];
  for (const { name, version } of binding.members) {
    const identity = await members.find(name, version)?.identify?.();
    if (identity === undefined) return undefined;
    identities.push(identity);
  }
  return createHash('sha256')
    .update(JSON.stringify(['graph', definition, identities]))
    .digest('hex');
}

async function digestOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const sum = createHash('sha256');
  for await (const chunk of createReadStream(path, { ...(signal !== undefined && { signal }) })) sum.update(chunk);
  return sum.digest('hex');
}

/** Of the package: the library itself is for runners alone. */
async function runtimeVersion(): Promise<string> {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node');
  const { version }: { version?: unknown } = JSON.parse(await readFile(join(dirname(main), '../package.json'), 'utf8'));
  return String(version);
}
