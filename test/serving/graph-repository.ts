import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AppError } from '../../src/errors.ts';
import { graphDependencies } from '../../src/graphs.ts';
import type { Engine } from '../../src/inference/engine.ts';
import { createAssemble } from '../../src/models/assemble.ts';
import type { Assemble } from '../../src/models/assembled.ts';
import { ModelControl } from '../../src/models/model-control.ts';
import { Registry } from '../../src/models/registry/registry.ts';
import { scanRepository } from '../../src/models/repository/repository.ts';
import { ServedCounters } from '../../src/served/served-counters.ts';
import type { CallTerms } from '../../src/serving/call-terms.ts';
import { createInfer, type PredictionRecorder } from '../../src/serving/infer.ts';
import { ReadinessGate } from '../../src/serving/readiness.ts';
import { Statistics } from '../../src/serving/statistics.ts';
import { Shadows } from '../../src/serving/traffic/shadow.ts';
import { float32, type Signature, type Tensor } from '../../src/tensor/tensor.ts';
import { FakePredictor, type FakePredictorOptions } from '../helpers/fake-predictor.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { VirtualClock } from '../virtual-clock.ts';

/** What a version of a fake model is: what it multiplies by, or a signature that it takes nothing of. */
export interface FakeVersion {
  readonly factor?: number;
  readonly signature?: Signature;
  readonly fails?: AppError;
  /** Loads until the load is given up. @default false */
  readonly hangs?: boolean;
  /** What each prediction comes to. @default the product, at once */
  readonly outcome?: FakePredictorOptions['outcome'];
  /** Rows that wait for it. @default it has no queue */
  readonly queueRows?: number;
}

export interface GraphRepositoryOptions {
  /** Most copies of requests for shadows. @default 64 */
  readonly maxInFlight?: number;
  readonly recorder?: PredictionRecorder;
}

/** The output `y` of a fake that multiplies. */
export function multiplied(x: Tensor | undefined, factor: number) {
  return { y: float32(x?.shape ?? [0, 2], x?.datatype === 'FP32' ? x.data.map((value) => factor * value) : []) };
}

/** An engine of which only the queue is looked at. */
function queueOf(queueRows: number): Engine {
  const stats = {
    runners: [],
    queueRows,
    queueBytes: 0,
    backgroundRows: 0,
    oldestWaitMs: 0,
    cost: undefined,
  };
  return {
    independence: { independentRows: true, why: 'it is a fake', provenRows: 1 },
    example: undefined,
    intraOpThreads: undefined,
    stats: () => stats,
    cost: undefined,
    whenHealthChanges: () => () => {},
  };
}

/** A model repository on disk whose graphs are real and whose other models multiply their input `x` [n,2] to `y`. */
export async function graphRepository({ maxInFlight = 64, recorder }: GraphRepositoryOptions = {}) {
  const folder = await temporaryFolder();
  const clock = new VirtualClock();
  const counters = new ServedCounters(() => 1);
  const logged: { readonly message: string; readonly fields: object }[] = [];
  const keep = (fields: object, message: string) => void logged.push({ fields, message });
  const log = { info() {}, warn: keep, error: keep };
  const versions = new Map<string, FakeVersion>();
  const predictors = new Map<string, FakePredictor>();
  const real = createAssemble({
    loadModel: () => Promise.reject(new Error('Models are fakes here')),
    graphs: graphDependencies({ counters, clock }),
    log,
  });
  const assemble: Assemble = async (version, members) => {
    if (version.artifact.kind !== 'onnx') return real(version, members);
    const id = `${version.name}/${version.artifact.version}`;
    const { factor = 2, signature, fails, hangs, outcome, queueRows } = versions.get(id) ?? {};
    if (fails !== undefined) throw fails;
    if (hangs === true) await untilAborted(version.signal);
    const predictor = new FakePredictor({
      clock,
      ...(signature !== undefined && { signature }),
      outcome: outcome ?? (({ x }) => ({ outputs: multiplied(x, factor) })),
    });
    predictors.set(id, predictor);
    return { predictor, ...(queueRows !== undefined && { engine: queueOf(queueRows) }) };
  };
  const registry = new Registry({ assemble, now: () => clock.now(), log });
  const readiness = new ReadinessGate(registry);
  const shadows = new Shadows(
    { maxInFlight, timeoutMs: 60_000 },
    { registry, clock, counters, isDraining: () => readiness.draining, recorder },
  );
  const infer = createInfer({ registry, clock, timeoutMs: 60_000, counters, shadows, recorder });
  const write = async (path: string, content: string) => {
    const target = join(folder.path, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
  };
  const { signal } = new AbortController();

  return {
    path: folder.path,
    clock,
    registry,
    logged,
    statistics: new Statistics(counters),
    readiness,
    counters,
    shadows,
    infer,
    /** The fake that was loaded last for a version. */
    predictor: (name: string, version: string) => predictors.get(`${name}/${version}`),
    control: new ModelControl({ modelsDir: folder.path, registry }),
    /** Writes a version of a model that is not loaded yet. */
    model: async (name: string, version: string, fake: FakeVersion = {}) => {
      versions.set(`${name}/${version}`, fake);
      await write(`${name}/${version}/model.onnx`, JSON.stringify(fake));
    },
    manifest: (name: string, manifest: object) => write(`${name}/model.json`, JSON.stringify(manifest)),
    graph: (name: string, graph: object, version = '1') =>
      write(`${name}/${version}/graph.json`, JSON.stringify(graph)),
    sync: async () => registry.sync(await scanRepository(folder.path)),
    /** Resolves as soon as a change of the registry has made it true. */
    until: (isTrue: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => void (isTrue() && resolve());
        registry.onChange(look);
        look();
      }),
    /** The output `y` for two rows. */
    ask: async (model: string, terms: Partial<CallTerms> = {}) => {
      const { outputs } = await infer(
        { model, requestId: 'a', signal, ...terms },
        () => ({ x: float32([2, 2], [1, 2, 3, 4]) }),
        () => undefined,
      );
      return [...(outputs['y']?.data ?? [])].map(Number);
    },
    state: (name: string) => registry.find(name)?.versions.map(({ version, state }) => `${version} ${state}`),
    [Symbol.asyncDispose]: async () => {
      shadows.close();
      await registry.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
}
