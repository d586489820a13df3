import { get, type HttpRequest } from '../load/http-request.ts';
import { openLoop } from '../load/open-loop.ts';
import { quantile } from '../report/statistics.ts';
import { load } from './closed-loop.ts';
import { addFigure, type Round, type Session, workloadOf } from './session.ts';

/** Probes a second: enough for a p99, too few to be a load. */
const probesPerSecond = 100;

/** p99 of `/health/live` while heavy is saturated. */
export function measureHealth(round: Round, session: Session): Promise<void> {
  return probeWhileHeavy(round, session, { prefix: 'health', requests: [get('/health/live')] });
}

/** p99 of tiny while heavy is saturated. */
export async function measureMixed(round: Round, session: Session): Promise<void> {
  const tiny = workloadOf(round, 'tiny');
  if (tiny === undefined) return;
  await probeWhileHeavy(round, session, { prefix: 'mixed', requests: session.contestant.requests(tiny) });
}

async function probeWhileHeavy(
  round: Round,
  session: Session,
  { prefix, requests }: { prefix: string; requests: readonly HttpRequest[] },
): Promise<void> {
  const heavy = workloadOf(round, 'heavy');
  if (heavy === undefined) return;
  const { warmupSeconds, seconds } = round.options;
  const loading = load(round, session, heavy);
  // The probe starts after the warm-up, and ends a little before the load does.
  const probing = delayed(warmupSeconds * 1000 + 200, () =>
    openLoop({ url: session.server.url, requests, perSecond: probesPerSecond, seconds: seconds - 0.4 }),
  );
  const [heavyResult, { replies }] = await Promise.all([loading, probing]);

  const latenciesMs = replies.map((reply) => reply.latencyMs);
  addFigure(round, `${prefix}.p50Ms`, quantile(latenciesMs, 0.5));
  addFigure(round, `${prefix}.p99Ms`, quantile(latenciesMs, 0.99));
  addFigure(round, `${prefix}.heavyPerSecond`, heavyResult.requestsPerSecond);
  const failed = replies.filter((reply) => reply.status !== 200).length;
  if (failed > 0) round.problems.push(`round ${round.number}, ${prefix}: ${failed} probes were not answered with 200`);
}

async function delayed<Value>(delayMs: number, action: () => Promise<Value>): Promise<Value> {
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  return action();
}
