import { bareOnnxruntime } from '../contestants/bare-onnxruntime.ts';
import { type ClosedLoopResult, closedLoop } from '../load/closed-loop.ts';
import { bareLoop, bareLoopAllThreads } from '../report/results.ts';
import type { Workload } from '../workloads.ts';
import type { Round, Session } from './session.ts';

/** Warms a server up with a workload, then measures it in a closed loop. */
export async function load(
  { options }: Round,
  { contestant, server }: Session,
  workload: Workload,
  connections = options.connections,
): Promise<ClosedLoopResult> {
  const requests = contestant.requests(workload);
  if (options.warmupSeconds > 0) {
    await closedLoop({ url: server.url, requests, connections, seconds: options.warmupSeconds });
  }
  return closedLoop({ url: server.url, requests, connections, seconds: options.seconds });
}

/** Every workload of the round, one after the other. */
export async function measureClosedLoop(round: Round, session: Session): Promise<void> {
  for (const workload of round.workloads) {
    const result = await load(round, session, workload);
    round.measurements.push({
      round: round.number,
      workload: workload.name,
      subject: session.contestant.name,
      ...result,
    });
  }
}

/** The bare loops of onnxruntime-node: one thread, and as many as it takes by default. */
export async function measureBareLoops(round: Round): Promise<void> {
  const { seconds, warmupSeconds } = round.options;
  for (const workload of round.workloads) {
    for (const [subject, threads] of [[bareLoop, { threads: 1 }] as const, [bareLoopAllThreads, {}] as const]) {
      const file = round.modelFiles[workload.name];
      const { runsPerSecond, p50Ms, p99Ms } = await bareOnnxruntime(workload, file, {
        seconds,
        warmupSeconds,
        ...threads,
      });
      round.measurements.push({
        round: round.number,
        workload: workload.name,
        subject,
        requestsPerSecond: runsPerSecond,
        p50Ms,
        p99Ms,
        failed: 0,
      });
    }
  }
}
