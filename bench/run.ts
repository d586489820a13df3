import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { bareFastify } from './contestants/bare-fastify.ts';
import type { Contestant } from './contestants/contestant.ts';
import { inferd } from './contestants/inferd.ts';
import { peers } from './contestants/peers.ts';
import { describeMachine } from './machine.ts';
import { modelFiles } from './models/model-files.ts';
import { folders, type Options, readOptions, type WorkloadName } from './options.ts';
import { plot } from './report/plot.ts';
import type { Entrant, Results } from './report/results.ts';
import { terminalReport } from './report/terminal.ts';
import { measureBareLoops, measureClosedLoop } from './scenarios/closed-loop.ts';
import { firstReply } from './scenarios/first-reply.ts';
import { measureIdleMemory } from './scenarios/idle-memory.ts';
import { measureOneConnection } from './scenarios/one-connection.ts';
import { measureOverload } from './scenarios/overload.ts';
import { measureHealth, measureMixed } from './scenarios/saturated.ts';
import type { Round, Session } from './scenarios/session.ts';
import { measureTritonclient } from './scenarios/tritonclient.ts';
import { type Workload, workload } from './workloads.ts';

const options = readOptions(process.argv.slice(2));
const startedAt = new Date().toISOString();
const machine = describeMachine();
const contestants = allContestants(options).filter(({ name }) => options.contestants.includes(name));
const replies = new Map<WorkloadName, unknown>();
const shared = {
  options,
  workloads: options.workloads.map(workload),
  modelFiles: modelFiles(),
  measurements: [],
  figures: [],
  problems: [],
};

for (let number = 1; number <= options.rounds; number++) await runRound({ number, ...shared });

const results: Results = { startedAt, machine, entrants: contestants.map(entrant), ...shared };
mkdirSync(folders.results, { recursive: true });
const stem = path.join(folders.results, startedAt.replaceAll(':', '-').slice(0, 19));
writeFileSync(`${stem}.json`, `${JSON.stringify(results, null, 2)}\n`);
writeFileSync(`${stem}.svg`, plot(results));
print(`\n${terminalReport(results)}\nwritten: ${path.relative(process.cwd(), stem)}.json and .svg\n`);

function allContestants({ built, before }: Options): readonly Contestant[] {
  return [
    inferd({ name: 'inferd', built }),
    inferd({ name: 'inferd-unbatched', maxBatchRows: 1, built }),
    inferd({ name: 'inferd-before', built, checkout: before }),
    bareFastify,
    ...peers,
  ];
}

/** Everything once. The contestants take turns within a round, so that a slow minute of the machine hits them alike. */
async function runRound(round: Round): Promise<void> {
  const closedLoopWanted = options.scenarios.includes('closed-loop');
  if (closedLoopWanted) {
    step(round, 'bare onnxruntime-node');
    await measureBareLoops(round);
  }
  for (const contestant of contestants) {
    if (contestant.missing() !== undefined) continue;
    if (!takesPart(contestant)) continue;
    step(round, contestant.name);
    await attempt(round, contestant.name, () => runContestant(round, contestant));
  }
  const inferdTakesPart = contestants.some(({ name, missing }) => name === 'inferd' && missing() === undefined);
  if (inferdTakesPart && options.scenarios.includes('memory')) {
    step(round, 'idle memory');
    await attempt(round, 'idle memory', () => measureIdleMemory(round));
  }
}

/** Without the closed loop only some scenarios need more than inferd itself. */
function takesPart({ name }: Contestant): boolean {
  const { scenarios } = options;
  if (scenarios.includes('closed-loop') || name === 'inferd') return true;
  return name === 'mlserver' && scenarios.includes('tritonclient');
}

async function runContestant(round: Round, contestant: Contestant): Promise<void> {
  const unbatched = contestant.name === 'inferd-unbatched';
  const workloads = unbatched ? round.workloads.filter(({ name }) => name === 'mid') : round.workloads;
  if (!workloads.some((one) => contestant.serves(one))) return;

  const server = await contestant.start({ ...round, workloads, cores: os.availableParallelism(), replies });
  const session = { contestant, server };
  try {
    const own = { ...round, workloads: await answeredWorkloads(round, session, workloads) };
    if (options.scenarios.includes('closed-loop')) await measureClosedLoop(own, session);
    if (options.scenarios.includes('tritonclient')) await measureTritonclient(own, session);
    if (contestant.name !== 'inferd') return;
    if (options.scenarios.includes('one-connection')) await measureOneConnection(own, session);
    if (options.scenarios.includes('health')) await measureHealth(own, session);
    if (options.scenarios.includes('mixed')) await measureMixed(own, session);
    if (options.scenarios.includes('overload')) await measureOverload(own, session);
  } finally {
    await server.stop();
  }
}

/** The workloads that the contestant serves and does answer; a wrong answer is a problem to report. */
async function answeredWorkloads(round: Round, session: Session, workloads: readonly Workload[]): Promise<Workload[]> {
  const answered: Workload[] = [];
  for (const one of workloads.filter((candidate) => session.contestant.serves(candidate))) {
    await attempt(round, session.contestant.name, async () => {
      const reply = await firstReply(session, one);
      if (session.contestant.name === 'inferd') replies.set(one.name, reply);
      answered.push(one);
    });
  }
  return answered;
}

/** A contestant that fails must not cost the numbers of the others; the report says that it failed. */
async function attempt(round: Round, name: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    round.problems.push(`round ${round.number}, ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function entrant(contestant: Contestant): Entrant {
  const { name, settings, peer } = contestant;
  const leftOut = contestant.missing();
  return { name, settings, peer, ...(leftOut !== undefined && { leftOut }) };
}

function step(round: Round, name: string): void {
  print(`round ${round.number} of ${options.rounds}: ${name}\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}
