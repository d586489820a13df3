import type { HttpRequest } from '../load/http-request.ts';
import { openLoop, type Reply } from '../load/open-loop.ts';
import type { WorkloadName } from '../options.ts';
import { quantile } from '../report/statistics.ts';
import type { Workload } from '../workloads.ts';
import { load } from './closed-loop.ts';
import { addFigure, type Round, type Session, workloadOf } from './session.ts';

/** Not tiny: one core makes fewer requests than three times what inferd answers of those. */
const overloaded: readonly WorkloadName[] = ['heavy', 'mid'];
const timesCapacity = 3;
const tolerableLagMs = 50;

/** A fixed rate of three times what the closed loop has just reached, each request with a deadline. */
export async function measureOverload(round: Round, session: Session): Promise<void> {
  for (const name of overloaded) {
    const workload = workloadOf(round, name);
    if (workload !== undefined) await overload(round, session, workload);
  }
}

async function overload(round: Round, session: Session, workload: Workload): Promise<void> {
  const { seconds, warmupSeconds } = round.options;
  const capacity = (await load(round, session, workload)).requestsPerSecond;
  const open = {
    url: session.server.url,
    requests: session.contestant.requests(workload).map((request) => withDeadline(request, workload.deadlineMs)),
    perSecond: timesCapacity * capacity,
  };
  // Warm-up and measurement are one load, so that what is measured is the steady state, its connections open.
  const { replies: all, connections } = await openLoop({ ...open, seconds: warmupSeconds + seconds });
  const replies = all.filter((reply) => reply.meantMs >= warmupSeconds * 1000);

  const add = (name: string, value: number) => addFigure(round, `overload.${workload.name}.${name}`, value);
  const { ok, refused, broken, other } = byOutcome(replies);
  add('capacity', capacity);
  add('sentPerSecond', replies.length / seconds);
  add('inTimePerSecond', ok.filter((reply) => reply.latencyMs <= workload.deadlineMs).length / seconds);
  // The deadline runs from the moment at which the request was sent, not from the one at which it was meant to be.
  add('lateOk', ok.filter((reply) => answerMs(reply) > workload.deadlineMs).length);
  add('slowestOkMs', slowest(ok));
  add('refusedPerSecond', refused.length / seconds);
  add('p99RefusalMs', quantile(refused.map(answerMs), 0.99));
  add('slowestRefusalMs', slowest(refused));
  add('deadlinePassed', replies.filter((reply) => reply.status === 504).length);
  add('connections', connections);
  const lagMs = quantile(
    replies.map((reply) => reply.sendLagMs),
    0.99,
  );
  add('p99SendLagMs', lagMs);
  const report = (problem: string) =>
    round.problems.push(`round ${round.number}, overload of ${workload.name}: ${problem}`);
  if (lagMs > tolerableLagMs) report(`p99 of the send lag is ${Math.round(lagMs)} ms, so this load was not kept up`);
  if (broken.length > 0) report(`${broken.length} requests had no reply`);
  if (other.length > 0) report(`unexpected statuses ${[...new Set(other.map((reply) => reply.status))].join(', ')}`);
}

function byOutcome(replies: readonly Reply[]): Record<'ok' | 'refused' | 'broken' | 'other', Reply[]> {
  const known = [200, 503, 504, 0];
  return {
    ok: replies.filter((reply) => reply.status === 200),
    refused: replies.filter((reply) => reply.status === 503),
    broken: replies.filter((reply) => reply.status === 0),
    other: replies.filter((reply) => !known.includes(reply.status)),
  };
}

function answerMs({ latencyMs, sendLagMs }: Reply): number {
  return latencyMs - sendLagMs;
}

/** 0 if there are no replies: nothing was slow. */
function slowest(replies: readonly Reply[]): number {
  return replies.reduce((most, reply) => Math.max(most, answerMs(reply)), 0);
}

function withDeadline(request: HttpRequest, deadlineMs: number): HttpRequest {
  return { ...request, headers: { ...request.headers, 'x-request-timeout-ms': String(deadlineMs) } };
}
