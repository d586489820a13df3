/**
 * Makes things go wrong while tasks are submitted, and reports what has become of the tasks:
 *
 * - `kill`: kills the server, a worker, a runner or the database, again and again
 * - `disk-full`: has the storage on a disk that is full for a while
 * - `database-gone`: takes the database away for a minute, in every way there is
 *
 * `npm run test:chaos -- --scenario disk-full --database postgres`
 */
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { takeDatabaseAway } from './database-gone.ts';
import { fillDisk } from './disk-full.ts';
import { PostgresCluster } from './postgres-cluster.ts';
import { runRounds } from './rounds.ts';
import { runWithOwnMounts, SmallDisk } from './small-disk.ts';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'kill' },
    database: { type: 'string', default: 'embedded' },
    rounds: { type: 'string', default: '50' },
    /** How long the disk is full, and the database gone; the embedded one is waited for during the first 30. */
    seconds: { type: 'string', default: '60' },
  },
});
const usesPostgres = values.database === 'postgres';
const outageMs = Number(values.seconds) * 1000;
const write = (line: string) => void process.stdout.write(`${line}\n`);

/** Each gives what should not have been. */
const scenarios: Readonly<Record<string, (folder: string) => Promise<readonly string[]>>> = {
  kill: killEverything,
  'disk-full': fullDisk,
  'database-gone': databaseGone,
};

async function killEverything(folder: string): Promise<readonly string[]> {
  const cluster = usesPostgres ? await PostgresCluster.start() : undefined;
  try {
    const verdict = await runRounds({
      rounds: Number(values.rounds),
      modelsDir: join(folder, 'models'),
      dataDir: join(folder, 'data'),
      databaseUrl: cluster?.url,
      cluster,
      workers: cluster === undefined ? 0 : 2,
      random: Math.random,
      report: write,
    });
    const { accepted, finished, failed, lost, doubled, takenOver } = verdict;
    write(
      `${values.database}, ${values.rounds} rounds: ${accepted} accepted, ${finished} finished (${failed.length} failed), ` +
        `${lost.length} lost, ${doubled.length} doubled, ${takenOver} taken over`,
    );
    return [...failed, ...lost, ...doubled, ...(accepted > 0 ? [] : ['no task was accepted'])];
  } finally {
    await cluster?.close();
  }
}

async function fullDisk(folder: string): Promise<readonly string[]> {
  // Postgres has another user.
  await chmod(folder, 0o755);
  const disk = await SmallDisk.mount(join(folder, 'disk'), usesPostgres ? 128 : 80);
  const dataDir = join(disk.path, 'data');
  let cluster: PostgresCluster | undefined;
  try {
    if (usesPostgres) cluster = await PostgresCluster.start(disk.path);
    const modelsDir = join(folder, 'models');
    return await fillDisk({ disk, modelsDir, dataDir, cluster, fullForMs: outageMs, report: write });
  } finally {
    await cluster?.close();
    await disk.unmount();
  }
}

async function databaseGone(folder: string): Promise<readonly string[]> {
  if (!usesPostgres && outageMs <= 30_000) throw new Error('--seconds is more than 30 with the embedded database');
  const cluster = usesPostgres ? await PostgresCluster.start() : undefined;
  const places = { modelsDir: join(folder, 'models'), dataDir: join(folder, 'data') };
  try {
    return await takeDatabaseAway({ ...places, cluster, goneForMs: outageMs, report: write });
  } finally {
    await cluster?.close();
  }
}

/** Iris, which takes more rows at once than it does as it is shipped. */
async function copyModel(path: string): Promise<void> {
  await cp(new URL('../../models/iris', import.meta.url), path, { recursive: true });
  const file = join(path, 'model.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as { batching?: object };
  await writeFile(file, JSON.stringify({ ...manifest, batching: { ...manifest.batching, maxQueueRows: 1_000_000 } }));
}

async function main(): Promise<number> {
  const scenario = scenarios[values.scenario];
  if (scenario === undefined) throw new Error(`--scenario is one of ${Object.keys(scenarios).join(', ')}`);
  const exitCode = values.scenario === 'disk-full' ? await runWithOwnMounts() : undefined;
  if (exitCode !== undefined) return exitCode;
  const folder = await mkdtemp(join(tmpdir(), 'inferd-chaos-'));
  try {
    await copyModel(join(folder, 'models/iris'));
    const problems = await scenario(folder);
    for (const problem of problems.slice(0, 10)) write(`WRONG: ${problem}`);
    write(problems.length === 0 ? 'as it should be' : `${problems.length} things wrong`);
    return problems.length === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
