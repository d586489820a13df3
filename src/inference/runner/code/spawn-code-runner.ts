import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SpawnRunner } from '../spawn-runner.ts';
import { spawnRunnerProcess } from '../spawn-runner.ts';

const isSource = import.meta.url.endsWith('.ts');
const childPath = fileURLToPath(new URL(`./code-child${isSource ? '.ts' : '.js'}`, import.meta.url));
/** What the child imports of this program: `src/` or `dist/`, and the file beside it that says which kind of modules these are. */
const programFolder = fileURLToPath(new URL('../../../', import.meta.url));
const packageFile = fileURLToPath(new URL('../../../../package.json', import.meta.url));

export interface CodeRunnerOptions {
  /** Path of `model.ts`; it may read the folder that it is in. */
  readonly path: string;
  /** Most memory for its objects. */
  readonly heapMb: number;
}

/** Whether this Node.js can keep code from the network and from other threads. */
export function canGuardCode(): boolean {
  return process.allowedNodeEnvironmentFlags.has('--allow-net');
}

/** Starts a process that runs own code, with no rights but to read its folder, and with nothing in its environment. */
export function codeRunner({ path, heapMb }: CodeRunnerOptions): SpawnRunner {
  const flags = [
    '--permission',
    '--allow-worker',
    `--allow-fs-read=${programFolder}`,
    `--allow-fs-read=${packageFile}`,
    `--allow-fs-read=${dirname(path)}/`,
    '--disallow-code-generation-from-strings',
    '--disable-warning=SecurityWarning',
    `--max-old-space-size=${heapMb}`,
  ];
  return (model, sharedFd) => spawnRunnerProcess({ flags, program: childPath, model, sharedFd, environment: {} });
}
