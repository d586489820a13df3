import type { WorkloadName } from '../options.ts';
import { bareLoop, figureValues, type Results, type Subject, summarise } from './results.ts';
import { median } from './statistics.ts';

/** What inferd must show, in the same run on the same machine. */
export interface Target {
  readonly label: string;
  readonly bound: 'at least' | 'at most';
  readonly limit: number;
  readonly unit: string;
  /** Undefined if the run did not measure it. */
  measure(results: Results): number | undefined;
}

export interface Outcome {
  readonly label: string;
  readonly must: string;
  readonly measured: number | undefined;
  readonly unit: string;
  readonly verdict: 'pass' | 'short' | 'not measured';
}

const ratio = (label: string, limit: number, measure: Target['measure']): Target => ({
  label,
  bound: 'at least',
  limit,
  unit: '×',
  measure,
});
const most = (label: string, limit: number, unit: string, measure: Target['measure']): Target => ({
  label,
  bound: 'at most',
  limit,
  unit,
  measure,
});

const overload = (workload: WorkloadName): Target[] => [
  ratio(`${workload} at 3 × capacity: answered in time ÷ best closed-loop rate`, 0.9, (results) =>
    divide(medianOf(results, `overload.${workload}.inTimePerSecond`), bestRate(results, workload)),
  ),
  most(`${workload} at 3 × capacity: slowest refusal`, 100, 'ms', worstOf(`overload.${workload}.slowestRefusalMs`)),
  most(`${workload} at 3 × capacity: 200s after their deadline`, 0, '', worstOf(`overload.${workload}.lateOk`)),
];

const targets: readonly Target[] = [
  ratio('tiny: requests/s ÷ bare Fastify', 0.8, (results) => ratioTo(results, 'tiny', 'bare-fastify')),
  ratio('tiny: requests/s ÷ the best peer', 8, (results) => ratioToBestPeer(results, 'tiny')),
  ratio('mid: requests/s ÷ the same server with maxSize 1', 3, (results) =>
    ratioTo(results, 'mid', 'inferd-unbatched'),
  ),
  ratio('mid: requests/s ÷ the best peer', 5, (results) => ratioToBestPeer(results, 'mid')),
  ratio('heavy, one thread: runs/s ÷ bare onnxruntime-node loop', 0.95, (results) =>
    ratioTo(results, 'heavy', bareLoop),
  ),
  ratio('binary, one thread: requests/s ÷ bare onnxruntime-node loop', 0.9, (results) =>
    ratioTo(results, 'binary', bareLoop),
  ),
  ratio('binary by tritonclient: requests/s ÷ MLServer', 1, ratioByTritonclient),
  most('heavy at saturation: p99 of /health/live', 10, 'ms', middleOf('health.p99Ms')),
  most('tiny, 1 connection: p50 − bare onnxruntime-node run', 0.5, 'ms', middleOf('oneConnection.overheadP50Ms')),
  ...overload('heavy'),
  ...overload('mid'),
  most('mixed: tiny p99 while heavy is saturated', 20, 'ms', middleOf('mixed.p99Ms')),
  most('resident memory, main process idle with four models', 130, 'MB', middleOf('memory.mainMb')),
];

/** Every target with what was measured. */
export function judge(results: Results): Outcome[] {
  return targets.map((target) => {
    const measured = target.measure(results);
    const must = `${target.bound === 'at least' ? '≥' : '≤'} ${target.limit} ${target.unit}`.trim();
    return { label: target.label, must, measured, unit: target.unit, verdict: verdict(target, measured) };
  });
}

function verdict({ bound, limit }: Target, measured: number | undefined): Outcome['verdict'] {
  if (measured === undefined || Number.isNaN(measured)) return 'not measured';
  const kept = bound === 'at least' ? measured >= limit : measured <= limit;
  return kept ? 'pass' : 'short';
}

function rate(results: Results, workload: WorkloadName, subject: Subject): number | undefined {
  return summarise(results, workload, subject)?.requestsPerSecond;
}

function ratioTo(results: Results, workload: WorkloadName, subject: Subject): number | undefined {
  return divide(rate(results, workload, 'inferd'), rate(results, workload, subject));
}

function ratioToBestPeer(results: Results, workload: WorkloadName): number | undefined {
  const rates = results.entrants
    .filter((entrant) => entrant.peer)
    .map(({ name }) => rate(results, workload, name) ?? 0);
  return divide(rate(results, workload, 'inferd'), Math.max(0, ...rates));
}

/** The best rate of inferd in any closed-loop round, those of the overload scenario included. */
function bestRate(results: Results, workload: WorkloadName): number | undefined {
  const rounds = results.measurements.filter((one) => one.workload === workload && one.subject === 'inferd');
  const rates = [
    ...rounds.map((one) => one.requestsPerSecond),
    ...figureValues(results, `overload.${workload}.capacity`),
  ];
  return rates.length === 0 ? undefined : Math.max(...rates);
}

/** MLServer counts with the faster of its two protocols. */
function ratioByTritonclient(results: Results): number | undefined {
  const rateOf = (subject: string) => medianOf(results, `tritonclient.${subject}.requestsPerSecond`);
  const mlserver = Math.max(rateOf('mlserver.grpc') ?? 0, rateOf('mlserver.http-json') ?? 0);
  return divide(rateOf('inferd.http-binary'), mlserver);
}

function middleOf(name: string): Target['measure'] {
  return (results) => medianOf(results, name);
}

function worstOf(name: string): Target['measure'] {
  return (results) => {
    const values = figureValues(results, name);
    return values.length === 0 ? undefined : Math.max(...values);
  };
}

function medianOf(results: Results, name: string): number | undefined {
  const values = figureValues(results, name);
  return values.length === 0 ? undefined : median(values);
}

function divide(numerator: number | undefined, denominator: number | undefined): number | undefined {
  if (numerator === undefined || denominator === undefined || denominator === 0) return undefined;
  return numerator / denominator;
}
