/**
 * Kills the server, a worker, a runner or the database while tasks are submitted, again and again, and reports what has
 * become of the tasks. `npm run test:chaos -- --database postgres --rounds 50`
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PostgresCluster } from './postgres-cluster.ts';
import { runRounds } from './rounds.ts';

const { values } = parseArgs({
  options: {
    database: { type: 'string', default: 'embedded' },
    rounds: { type: 'string', default: '50' },
  },
});
const write = (line: string) => void process.stdout.write(`${line}\n`);
const folder = await mkdtemp(join(tmpdir(), 'inferd-chaos-'));
const cluster = values.database === 'postgres' ? await PostgresCluster.start() : undefined;
try {
  const modelsDir = join(folder, 'models');
  await cp(new URL('../../models/iris', import.meta.url), join(modelsDir, 'iris'), { recursive: true });
  const verdict = await runRounds({
    rounds: Number(values.rounds),
    modelsDir,
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
  for (const problem of [...failed, ...lost, ...doubled].slice(0, 10)) write(problem);
  process.exitCode = failed.length + lost.length + doubled.length === 0 && accepted > 0 ? 0 : 1;
} finally {
  await cluster?.close();
  await rm(folder, { recursive: true, force: true });
}
