import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../src/inference/model.ts';
import type { Artifact } from '../../src/models/artifact.ts';
import { createAssemble } from '../../src/models/assemble.ts';
import type { Assemble } from '../../src/models/assembled.ts';
import { defaultManifest } from '../../src/models/manifest.ts';
import { Registry } from '../../src/models/registry/registry.ts';
import type { ModelFolder } from '../../src/models/repository/model-folder.ts';
import { scanRepository } from '../../src/models/repository/repository.ts';
import { ServedCounters } from '../../src/served/served-counters.ts';
import { createInfer } from '../../src/serving/infer.ts';
import { ReadinessGate } from '../../src/serving/readiness.ts';
import { Statistics } from '../../src/serving/statistics.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { float32 } from '../../src/tensor/tensor.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { FakePredictor } from '../helpers/fake-predictor.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { float, onnxModel } from '../helpers/onnx-model.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { type SequenceArtifact, withSequences } from './sequence-kind.ts';

type Folder = ModelFolder<Artifact | SequenceArtifact>;

const log = { info() {}, warn() {}, error() {} };
const x = float32([1, 2], [1, -2]);

function member(name: string, fingerprint = '1'): Folder {
  const artifact = { kind: 'onnx', version: '1', path: `/${name}`, root: '/', folders: [], fingerprint } as const;
  return { name, manifest: defaultManifest(), versions: [artifact] };
}

function sequence(name: string, first: string, second: string): Folder {
  const artifact = { kind: 'sequence', version: '1', fingerprint: '', members: [first, second] } as const;
  return { name, manifest: defaultManifest(), versions: [artifact] };
}

/** A registry of sequences and of other models that double their inputs, each run in 10 ms of a virtual clock. */
function overFakes() {
  const clock = new VirtualClock();
  const fakes: FakePredictor[] = [];
  const loads: string[] = [];
  const assemble: Assemble = async ({ name }) => {
    loads.push(name);
    const predictor = new FakePredictor({
      clock,
      outcome: ({ x: input }) => ({
        outputs: { y: float32([1, 2], input?.datatype === 'FP32' ? input.data.map((value) => 2 * value) : []) },
        afterMs: 10,
      }),
    });
    fakes.push(predictor);
    return { predictor };
  };
  return { clock, fakes, loads, ...around(assemble, clock) };
}

function around(assemble: Assemble, clock: VirtualClock | typeof systemClock) {
  const counters = new ServedCounters(() => 1);
  const statistics = new Statistics(counters);
  const registry = new Registry<Artifact | SequenceArtifact>({
    assemble: withSequences(assemble, { counters, clock }),
    now: () => clock.now(),
    log,
  });
  const infer = createInfer({ registry, clock, timeoutMs: 60_000, counters });
  const { signal } = new AbortController();
  const ask = (model: string) =>
    infer(
      { model, requestId: 'a', signal },
      () => ({ x }),
      () => undefined,
    );
  return { registry, counters, statistics, ask, readiness: new ReadinessGate(registry) };
}

describe('a model that is made of two others', () => {
  it('is loaded together with them, after them, whatever their order', async () => {
    const { registry, clock, ask, loads } = overFakes();
    await registry.sync([sequence('both', 'a', 'b'), member('a'), member('b')]);
    expect(loads).toEqual(['a', 'b']);
    const answer = ask('both');
    await clock.advance(20);
    await expect(answer).resolves.toMatchObject({ outputs: { y: float32([1, 2], [4, -8]) } });
    await registry.close();
  });

  it('counts as one request of its own and one of each member, with times that add up', async () => {
    const { registry, clock, ask, counters, statistics } = overFakes();
    const metrics = new Metrics({
      served: counters,
      version: '1',
      scheme: 'http',
      tritonNames: false,
      droppedLogLines: () => 0,
    });
    await registry.sync([member('a'), member('b'), sequence('both', 'a', 'b')]);
    const answer = ask('both');
    await clock.advance(20);
    const { timings, totalMs } = await answer;
    expect(timings).toEqual({ queueMs: 0, batchMs: 0, inferMs: 20, batchRows: 1 });
    expect(totalMs).toBe(20);
    for (const [model, ms] of Object.entries({ a: 10, b: 10, both: 20 })) {
      expect(statistics.of(model, '1')).toMatchObject({
        success: { count: 1, ns: ms * 1e6 },
        computeInfer: { count: 1, ns: ms * 1e6 },
        fail: { count: 0 },
      });
    }
    // Prometheus counts the requests of clients alone.
    const written = await metrics.write('text');
    for (const [model, count] of Object.entries({ a: 0, b: 0, both: 1 })) {
      expect(written).toContain(`inferd_inference_requests_total{model="${model}",version="1",code="OK"} ${count}\n`);
    }
    await registry.close();
  });

  it('goes on while a member is loaded anew under load, and no request fails', async () => {
    const { registry, clock, fakes, ask } = overFakes();
    await registry.sync([member('a'), member('b'), sequence('both', 'a', 'b')]);
    const before = Array.from({ length: 20 }, () => ask('both'));
    await clock.advance(5);
    const reload = registry.syncModel(member('a', '2'));
    const during = Array.from({ length: 20 }, () => ask('both'));
    await clock.advance(40);
    await reload;
    const after = ask('both');
    await clock.advance(20);
    for (const { outputs } of await Promise.all([...before, ...during, after])) {
      expect(outputs).toEqual({ y: float32([1, 2], [4, -8]) });
    }
    expect(fakes.map(({ isClosing }) => isClosing)).toEqual([true, false, false]);
    await registry.close();
  });

  it('is not ready without a member, says which, and comes back with it', async () => {
    const { registry, clock, ask, readiness, statistics } = overFakes();
    readiness.serve();
    await registry.sync([sequence('both', 'a', 'b'), member('a')]);
    const reason = 'The model b is not ready: There is no model "b"';
    await expect(ask('both')).rejects.toMatchObject({
      code: 'MODEL_NOT_READY',
      message: expect.stringContaining(reason),
    });
    expect(readiness.check()).toEqual({ ready: false, problems: [{ model: 'both', version: '1', reason }] });
    await registry.syncModel(member('b'));
    await expect.poll(() => readiness.check().ready).toBe(true);
    const answer = ask('both');
    await clock.advance(20);
    await expect(answer).resolves.toHaveProperty('outputs.y');

    await registry.unload('b');
    expect(readiness.check().ready).toBe(false);
    const refused = expect(ask('both')).rejects.toMatchObject({
      code: 'MODEL_NOT_READY',
      message: expect.stringContaining('The model b is not ready'),
    });
    await clock.advance(10);
    await refused;
    expect(statistics.of('b', '1').success.count).toBe(1);
    await registry.close();
  });

  it('can be unloaded, and its members stay', async () => {
    const { registry, clock, ask } = overFakes();
    await registry.sync([member('a'), member('b'), sequence('both', 'a', 'b')]);
    await registry.unload('both');
    await registry.syncModel(member('a', '2'));
    expect(registry.list().map(({ name }) => name)).toEqual(['a', 'b']);
    await expect(ask('both')).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    const answer = ask('a');
    await clock.advance(10);
    await expect(answer).resolves.toHaveProperty('outputs.y');
    await registry.close();
  });

  it('is refused when it is made of itself', async () => {
    const { registry, ask } = overFakes();
    await registry.sync([sequence('one', 'two', 'a'), sequence('two', 'one', 'a'), member('a')]);
    await expect(ask('one')).rejects.toMatchObject({ message: expect.stringContaining('one → two → one') });
    await expect(ask('two')).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
    expect(registry.get('a').versions[0]?.state).toBe('READY');
    await registry.close();
  });

  it('gives what real models give one after the other', async () => {
    await using folder = await temporaryFolder();
    const value = { element: float, shape: ['n', 2] };
    const file = (op: string, inputs: string[]) =>
      onnxModel({ inputs: { x: value }, outputs: { y: value }, nodes: [{ op, inputs, outputs: ['y'] }] });
    await writeFile(join(folder.path, 'double.onnx'), file('Add', ['x', 'x']));
    await writeFile(join(folder.path, 'negate.onnx'), file('Neg', ['x']));
    const assemble = createAssemble({ loadModel: (options) => loadModel(options, { clock: systemClock, log }), log });
    const { registry, ask, statistics } = around(assemble, systemClock);
    await registry.sync([sequence('both', 'double', 'negate'), ...(await scanRepository(folder.path))]);
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask('both')));
    for (const { outputs, timings, totalMs } of answers) {
      expect(outputs).toEqual({ y: float32([1, 2], [-2, 4]) });
      expect(timings.queueMs + timings.batchMs + timings.inferMs).toBeLessThanOrEqual(totalMs + 0.01);
    }
    for (const model of ['both', 'double', 'negate']) expect(statistics.of(model, '1').success.count).toBe(50);
    await registry.close();
  });
});
