import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type HttpRequest, jsonPost } from '../load/http-request.ts';
import { folders } from '../options.ts';
import { irisFlower, nestedRow, type Workload } from '../workloads.ts';
import type { Contestant, RunningServer, Setting } from './contestant.ts';
import { openInferenceBinary } from './open-inference.ts';
import { freePort, startServer } from './server-process.ts';

export interface InferdOptions {
  readonly name: 'inferd' | 'inferd-unbatched' | 'inferd-before';
  /** Most rows of a run; undefined: inferd's own default. */
  readonly maxBatchRows?: number;
  readonly built: boolean;
  /** The checkout that is measured. @default this one */
  readonly checkout?: string | undefined;
}

/** inferd itself: one runner process a model; the models of the benchmark have one ONNX Runtime thread each. */
export function inferd(options: InferdOptions): Contestant {
  const entry = path.join(options.checkout ?? folders.repository, options.built ? 'dist/main.js' : 'src/main.ts');
  return {
    name: options.name,
    settings: `${options.built ? 'dist' : 'src'}, batches of ${options.maxBatchRows ?? 'up to 32'}, one thread a run`,
    peer: false,
    missing: () => missing(options, entry),
    serves: () => true,
    requests: inferdRequests,
    start: (setting) => startInferd(options.name, entry, makeRepository(options, setting)),
  };
}

function missing({ name, checkout }: InferdOptions, entry: string): string | undefined {
  if (name === 'inferd-before' && checkout === undefined) return '--before names no other checkout';
  return existsSync(entry) ? undefined : `${path.relative(folders.repository, entry)} does not exist`;
}

/** Starts inferd on a model repository. */
export async function startInferd(name: string, entry: string, modelsDir: string): Promise<RunningServer> {
  const port = await freePort();
  return startServer({
    name,
    command: process.execPath,
    args: [entry, 'serve'],
    env: {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      MODELS_DIR: modelsDir,
      DATA_DIR: path.join(folders.cache, 'data', name),
      LOG_LEVEL: 'info',
      // The engine is measured; bench/tasks.ts and bench/prediction-log.ts tell what is kept costs.
      STORAGE: 'off',
    },
    port,
    readyPath: '/health/ready',
  });
}

/** The typed iris route for tiny, the route of any model for mid and heavy, Open Inference with bytes for binary. */
export function inferdRequests(workload: Workload): HttpRequest[] {
  if (workload.name === 'tiny') return workload.rows.map((row) => jsonPost('/iris/predict', irisFlower(row)));
  if (workload.name === 'binary') return workload.rows.map((row) => openInferenceBinary(workload, row));
  return workload.rows.map((row) =>
    jsonPost(`/models/${workload.name}/predict`, { [workload.inputName]: nestedRow(workload, row) }),
  );
}

/** The models that ship, for tiny and so that no domain lacks its model, and those of the benchmark. */
function makeRepository({ name, maxBatchRows }: InferdOptions, { workloads, modelFiles }: Setting): string {
  const folder = path.join(folders.cache, 'repositories', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const shipped = path.join(folders.repository, 'models');
  for (const model of readdirSync(shipped))
    cpSync(path.join(shipped, model), path.join(folder, model), { recursive: true });

  const batching = maxBatchRows === undefined ? {} : { batching: { maxSize: maxBatchRows } };
  for (const workload of workloads) {
    if (workload.name === 'tiny') continue;
    const model = path.join(folder, workload.name);
    mkdirSync(path.join(model, '1'), { recursive: true });
    copyFileSync(modelFiles[workload.name], path.join(model, '1', 'model.onnx'));
    writeFileSync(path.join(model, 'model.json'), JSON.stringify({ ...batching, session: { intraOpThreads: 1 } }));
  }
  return folder;
}
