import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';

export const contestantNames = [
  'inferd',
  'inferd-unbatched',
  'inferd-before',
  'bare-fastify',
  'fastapi',
  'fastapi-typed',
  'bentoml',
  'mlserver',
  'litserve',
] as const;
export const workloadNames = ['tiny', 'mid', 'heavy', 'binary'] as const;
export const scenarioNames = [
  'closed-loop',
  'tritonclient',
  'one-connection',
  'health',
  'mixed',
  'overload',
  'memory',
] as const;

export type ContestantName = (typeof contestantNames)[number];
export type WorkloadName = (typeof workloadNames)[number];
export type ScenarioName = (typeof scenarioNames)[number];

const listOf = <const Names extends readonly [string, ...string[]]>(names: Names) =>
  z
    .string()
    .default(names.join(','))
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(names)).min(1));

const optionsSchema = z.object({
  workload: listOf(workloadNames),
  contestants: listOf(contestantNames),
  scenarios: listOf(scenarioNames),
  rounds: z.coerce.number().int().min(1),
  seconds: z.coerce.number().min(0.5),
  warmup: z.coerce.number().min(0),
  connections: z.coerce.number().int().min(1).default(64),
  built: z.boolean().default(false),
  before: z.string().exactOptional(),
});

export interface Options {
  readonly workloads: readonly WorkloadName[];
  readonly contestants: readonly ContestantName[];
  readonly scenarios: readonly ScenarioName[];
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** Load before each measurement that is not counted. */
  readonly warmupSeconds: number;
  /** Connections of the closed loop. */
  readonly connections: number;
  /** Measure `dist/main.js` (after `npm run build`) instead of `src/main.ts`. */
  readonly built: boolean;
  /** Another checkout of inferd, that takes part as `inferd-before`. */
  readonly before?: string;
}

export const folders = {
  repository: fileURLToPath(new URL('..', import.meta.url)),
  bench: fileURLToPath(new URL('.', import.meta.url)),
  cache: fileURLToPath(new URL('.cache', import.meta.url)),
  results: fileURLToPath(new URL('results', import.meta.url)),
  /** Where `peers/install.sh` put the Python environments. */
  python: process.env['BENCH_PYTHON_DIR'] ?? fileURLToPath(new URL('.cache/python', import.meta.url)),
} as const;

/** Reads the command line; a wrong option ends in an error that names it. */
export function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      workload: { type: 'string' },
      contestants: { type: 'string' },
      scenarios: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      warmup: { type: 'string' },
      connections: { type: 'string' },
      built: { type: 'boolean' },
      before: { type: 'string' },
    },
  });
  const defaults = values.quick ? { rounds: 1, seconds: 2, warmup: 1 } : { rounds: 5, seconds: 5, warmup: 2 };
  const { workload, warmup, ...rest } = optionsSchema.parse({ ...defaults, ...values });
  return { ...rest, workloads: workload, warmupSeconds: warmup };
}
