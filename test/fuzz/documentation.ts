import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServerProcess } from './server-process.ts';

export interface DocumentationFuzzOptions {
  readonly modelsDir: string;
  readonly seed: number;
  readonly maxSeconds: number;
}

const here = new URL('.', import.meta.url).pathname;
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

/** Sends what the documentation allows, and what it does not, and holds each reply against it. Tells whether all was well. */
export async function fuzzDocumentation({ modelsDir, seed, maxSeconds }: DocumentationFuzzOptions): Promise<boolean> {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const environment = join(cache, 'inferd', 'schemathesis');
  run(join(here, 'install.sh'), [environment], process.cwd());

  await using server = await startServerProcess(modelsDir);
  const folder = mkdtempSync(join(tmpdir(), 'inferd-fuzz-'));
  const status = run(
    join(environment, 'bin', 'schemathesis'),
    [
      ...['--config-file', join(here, 'schemathesis.toml'), 'run', new URL('/openapi.json', server.address).href],
      ...['--checks', checks.join(','), '--phases', 'examples,coverage,fuzzing'],
      ...['--max-time', String(maxSeconds), '--seed', String(seed), '--continue-on-failure', '--no-color'],
      ...['--suppress-health-check', 'all', '--max-examples', '30'],
    ],
    folder,
  );
  rmSync(folder, { recursive: true, force: true });
  const exit = server.exit();
  if (exit !== undefined) process.stdout.write(`The server ended: ${exit}\n`);
  return status === 0 && exit === undefined;
}

function run(program: string, args: readonly string[], cwd: string): number {
  const { status, error } = spawnSync(program, args, { cwd, stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? 1;
}
