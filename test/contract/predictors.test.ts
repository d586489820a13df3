import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel } from '../../src/inference/model.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { FakePredictor } from '../helpers/fake-predictor.ts';
import { float, onnxModel } from '../helpers/onnx-model.ts';
import { openCache } from '../inference/cache/caches.ts';
import { bound, openGraph } from '../inference/graph/graphs.ts';
import { call, combination, model, plan } from '../inference/graph/plans.ts';
import { modelOptions, recordingLog } from '../inference/models.ts';
import { openOn } from '../inference/remote/open-stand-in.ts';
import { startStandIn } from '../inference/remote/stand-in-server.ts';
import { describePredictor } from './predictor.contract.ts';

const value = { element: float, shape: ['n', 2] };
const doubling = onnxModel({
  inputs: { x: value },
  outputs: { y: value },
  nodes: [{ op: 'Add', inputs: ['x', 'x'], outputs: ['y'] }],
});

describePredictor('the batched model', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'inferd-test-'));
  const path = join(folder, 'model.onnx');
  await writeFile(path, doubling);
  const predictor = await loadModel(modelOptions('doubling', { path }), { clock: systemClock, log: recordingLog() });
  const close = async () => {
    await predictor.close();
    await rm(folder, { recursive: true });
  };
  return { predictor, [Symbol.asyncDispose]: close };
});

describePredictor('the fake', async () => {
  const predictor = new FakePredictor({ clock: systemClock });
  return { predictor, [Symbol.asyncDispose]: () => predictor.close() };
});

describePredictor('a graph of one step', async () => {
  const member = new FakePredictor({ clock: systemClock });
  const { graph } = openGraph(plan([model('a', call(0, 'input.x'))], { y: 'a.y' }), [bound('a', member)], {
    clock: systemClock,
  });
  return { predictor: graph, [Symbol.asyncDispose]: () => graph.close() };
});

describePredictor('a graph of steps side by side', async () => {
  const members = ['a', 'b'].map((name) => bound(name, new FakePredictor({ clock: systemClock })));
  const steps = [
    model('a', call(0, 'input.x')),
    model('b', call(1, 'input.x')),
    combination('c', 'mean', ['a.y', 'b.y']),
  ];
  const { graph } = openGraph(plan(steps, { y: 'c.value' }), members, { clock: systemClock });
  return { predictor: graph, [Symbol.asyncDispose]: () => graph.close() };
});

describePredictor('a model on another server', async () => {
  const server = await startStandIn();
  const { model } = await openOn(server.url, { joins: true });
  const close = async () => {
    await model.close();
    await server[Symbol.asyncDispose]();
  };
  return { predictor: model, [Symbol.asyncDispose]: close };
});

describePredictor('a cache before the fake', async () => {
  const { cached } = openCache({ clock: systemClock });
  return { predictor: cached, [Symbol.asyncDispose]: () => cached.close() };
});
