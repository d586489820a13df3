/**
 * Ends the server by SIGTERM at twenty moments of its start, for every source of models and every storage, and reports
 * whether each end was with 0 and within a second, and whether it left a process, or anything that keeps the next start away.
 *
 * `npm run test:stop -- --source folder --storage embedded --moments 20 --patience 1000`
 */
import { parseArgs } from 'node:util';
import { databaseKinds } from '../helpers/database.ts';
import { type Ended, endAt, moments, startFully } from './moments.ts';
import { openSource, type SourceKind, sourceKinds } from './sources.ts';
import { openStorage, type StorageKind, storageKinds } from './storages.ts';

const { values } = parseArgs({
  options: {
    source: { type: 'string' },
    storage: { type: 'string' },
    moments: { type: 'string', default: '20' },
    /** Longest time of a stop in milliseconds; a busy machine takes longer. */
    patience: { type: 'string', default: '1000' },
  },
});
const patienceMs = Number(values.patience);

function problemOf({ code, signal, stopMs, left, wasHeard }: Ended): string | undefined {
  // Before the first lines of the program have run, the system ends the process itself.
  if (!wasHeard && signal === 'SIGTERM') return left.length === 0 ? undefined : `left ${left.join(', ')}`;
  if (code !== 0) return `ended with ${signal ?? code}`;
  if (left.length > 0) return `left ${left.join(', ')}`;
  return stopMs > patienceMs ? `took ${Math.round(stopMs)} ms` : undefined;
}

/** Ends a server of these at every moment, each time in the state that the time before left. */
async function examine(sourceKind: SourceKind, storageKind: StorageKind): Promise<string[]> {
  await using source = await openSource(sourceKind);
  const problems: string[] = [];
  const took: number[] = [];
  for (const atMs of moments(Number(values.moments))) {
    // A first start each time, but for what the source has cached.
    await using storage = await openStorage(storageKind);
    const environment = { ...source.environment, ...storage.environment };
    const ended = await endAt(atMs, environment);
    took.push(ended.stopMs);
    const problem = problemOf(ended) ?? (await startFully(environment));
    if (problem !== undefined) problems.push(`${sourceKind}, ${storageKind}, SIGTERM at ${atMs} ms: ${problem}`);
  }
  const longest = Math.round(Math.max(...took));
  process.stdout.write(
    `${sourceKind}, ${storageKind}: ${problems.length} problems, the longest stop took ${longest} ms\n`,
  );
  return problems;
}

const sources = sourceKinds.filter((kind) => values.source === undefined || values.source === kind);
const storages = storageKinds.filter(
  (kind) =>
    (values.storage === undefined || values.storage === kind) &&
    (kind !== 'postgres' || databaseKinds.includes('postgres')),
);
const problems: string[] = [];
for (const source of sources) for (const storage of storages) problems.push(...(await examine(source, storage)));
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
