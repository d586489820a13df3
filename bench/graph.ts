/**
 * A graph in the engine beside the same calls by hand, in alternating rounds:
 * `node bench/graph.ts [--rounds 21] [--seconds 1]`
 *
 * - a sequence of two ÷ two awaits: over real members (one runner each) and over members that answer at once, so that
 *   what the graph itself costs is seen in microseconds;
 * - a switch by row of 1000 rows with three arms ÷ the same calls in parallel, with rows cut and put back by hand.
 *
 * Every ratio is that of one round; told are the median and the quartiles.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BoundMember } from '../src/inference/graph/graph-binding.ts';
import type { GraphPlan, PlannedStep } from '../src/inference/graph/graph-plan.ts';
import { GraphPredictor } from '../src/inference/graph/run/graph-predictor.ts';
import { loadModel } from '../src/inference/model.ts';
import type { PredictContext, Prediction, Predictor } from '../src/inference/predictor.ts';
import { noTimings } from '../src/inference/timings.ts';
import { rowElements } from '../src/tensor/rows.ts';
import { float32, type Signature, type Tensors } from '../src/tensor/tensor.ts';
import { systemClock } from '../src/timing/clock.ts';
import { float, onnxModel } from '../test/helpers/onnx-model.ts';
import { median, quantile } from './report/statistics.ts';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '21' }, seconds: { type: 'string', default: '1' } },
});
const rounds = Number(options.rounds);
const roundMs = 1000 * Number(options.seconds);
/** `y` is `x` + `x`, so that a step can follow another. */
const value = { element: float, shape: ['n', 4] };
const doubling = onnxModel({
  inputs: { x: value },
  outputs: { y: value },
  nodes: [{ op: 'Add', inputs: ['x', 'x'], outputs: ['y'] }],
});
const folder = await mkdtemp(join(os.tmpdir(), 'inferd-bench-'));
const path = join(folder, 'model.onnx');
await writeFile(path, doubling);
const signal = new AbortController().signal;

type Ask = () => Promise<unknown>;

function context(): PredictContext {
  return { requestId: '', signal, deadlineMs: systemClock.now() + 60_000, arrivedAt: 0 };
}

function bound(name: string, predictor: Pick<Predictor, 'predict' | 'independentRows'>): BoundMember {
  const { independentRows } = predictor;
  return {
    name,
    version: '1',
    independentRows,
    leastMs: () => 0.05,
    predict: (inputs, of) => predictor.predict(inputs, of),
  };
}

function open(plan: GraphPlan, members: readonly BoundMember[]): GraphPredictor {
  const held = { plan, members, release: () => {} };
  const health = () => ({ ready: true }) as const;
  return new GraphPredictor({
    signature: plan.signature,
    hold: () => held,
    health,
    independentRows: () => true,
    clock: systemClock,
  });
}

function planOf(signature: Signature, steps: readonly PlannedStep[], output: string, of: string): GraphPlan {
  const [first] = signature.outputs;
  return {
    signature,
    rowWise: true,
    needIndependent: [],
    steps,
    outputs: new Map([[first?.name ?? '', { step: of, tensor: output }]]),
    readsRequest: false,
    headers: [],
    maxInFlight: 1024,
    maxInFlightBytes: 2 ** 28,
    warnings: [],
  };
}

/** Two steps, the second of which takes what the first gives. */
function sequenceOf({ inputs, outputs }: Signature): GraphPlan {
  const [input] = inputs;
  const [output] = outputs;
  if (input === undefined || output === undefined) throw new Error('the model has no input, or no output');
  const step = (name: string, member: number, from: string): PlannedStep => ({
    kind: 'model',
    name,
    needs: from === 'input' ? [] : [from],
    outputs,
    required: true,
    call: {
      kind: 'call',
      member,
      inputs: new Map([
        [input.name, { from: { step: from, tensor: from === 'input' ? input.name : output.name }, to: input }],
      ]),
    },
  });
  return planOf({ inputs: [input], outputs: [output] }, [step('a', 0, 'input'), step('b', 1, 'a')], output.name, 'b');
}

/** Milliseconds of each answer, one after the other. */
async function oneInFlight(ask: Ask, ms: number): Promise<number[]> {
  const times: number[] = [];
  const untilMs = performance.now() + ms;
  for (let nowMs = performance.now(); nowMs < untilMs; ) {
    await ask();
    const thenMs = performance.now();
    times.push(thenMs - nowMs);
    nowMs = thenMs;
  }
  return times;
}

/** Microseconds of this process's processor time for an answer, with so many in flight. */
async function processorUs(ask: Ask, ms: number, clients: number): Promise<number> {
  let answered = 0;
  const untilMs = performance.now() + ms;
  const before = process.cpuUsage();
  const client = async () => {
    while (performance.now() < untilMs) {
      await ask();
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / answered;
}

interface Row {
  readonly what: string;
  readonly bar: number | undefined;
  readonly measure: (ask: Ask) => Promise<number>;
  readonly unit: string;
  readonly graph: Ask;
  readonly byHand: Ask;
}

async function compare({ what, bar, measure, unit, graph, byHand }: Row) {
  const ratios: number[] = [];
  const values = { graph: [] as number[], byHand: [] as number[] };
  for (let round = -2; round < rounds; round += 1) {
    const order = round % 2 === 0 ? (['graph', 'byHand'] as const) : (['byHand', 'graph'] as const);
    const of = { graph: 0, byHand: 0 };
    for (const which of order) of[which] = await measure(which === 'graph' ? graph : byHand);
    if (round < 0) continue;
    ratios.push(of.graph / of.byHand);
    values.graph.push(of.graph);
    values.byHand.push(of.byHand);
  }
  const short = (value: number) => Number(value.toPrecision(4));
  return {
    what,
    ratio: short(median(ratios)),
    quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)].map(short),
    ...(bar !== undefined && { bar }),
    [`graph${unit}`]: short(median(values.graph)),
    [`byHand${unit}`]: short(median(values.byHand)),
  };
}

const p50 = async (ask: Ask) => median(await oneInFlight(ask, roundMs));
const cpu64 = (ask: Ask) => processorUs(ask, roundMs, 64);

async function sequenceRows(
  name: string,
  predictors: readonly Predictor[],
  inputs: Tensors,
  bars: readonly (number | undefined)[],
) {
  const [one, two] = predictors;
  if (one === undefined || two === undefined) throw new Error('two members are needed');
  const [input] = one.signature.inputs;
  const [output] = one.signature.outputs;
  const graphOf = open(
    sequenceOf(one.signature),
    predictors.map((predictor, index) => bound(`m${index}`, predictor)),
  );
  const graph = () => graphOf.predict(inputs, context());
  const byHand = async () => {
    const of = context();
    const { outputs } = await one.predict(inputs, of);
    const tensor = outputs[output?.name ?? ''];
    if (tensor === undefined) throw new Error('the member gave nothing');
    return two.predict({ [input?.name ?? '']: tensor }, of);
  };
  return [
    await compare({
      what: `sequence of two ÷ two awaits, ${name}, p50`,
      bar: bars[0],
      unit: 'Ms',
      measure: p50,
      graph,
      byHand,
    }),
    await compare({
      what: `sequence of two ÷ two awaits, ${name}, main's CPU at 64`,
      bar: bars[1],
      unit: 'Us',
      measure: cpu64,
      graph,
      byHand,
    }),
  ];
}

/** A member that answers in the next microtask. */
function instant(signature: Signature): Predictor {
  const [output] = signature.outputs;
  return {
    signature,
    independentRows: true,
    health: { ready: true },
    predict: async (inputs: Tensors): Promise<Prediction> => {
      const [tensor] = Object.values(inputs);
      return { outputs: { ...(tensor && { [output?.name ?? '']: tensor }) }, timings: noTimings };
    },
    close: async () => {},
  };
}

/** Three arms by the first element of a row, as a graph and by hand. */
function switchRow(predictors: readonly Predictor[], signature: Signature): Row {
  const [input] = signature.inputs;
  const [output] = signature.outputs;
  if (input === undefined || output === undefined) throw new Error('the model has no input, or no output');
  const source = { step: 'input', tensor: input.name };
  const width = rowElements(input.shape);
  const armOf = (element: number) => (element < -0.33 ? 0 : element < 0.33 ? 1 : 2);
  const rule = (arm: number) => ({
    text: '',
    reads: [source],
    readsRequest: false,
    readsRows: false,
    decide: (_: unknown, read: (of: typeof source) => { readonly data: ArrayLike<unknown> }, row: number) =>
      armOf(Number(read(source).data[row * width])) === arm,
  });
  const target = (member: number) =>
    ({ kind: 'call', member, inputs: new Map([[input.name, { from: source, to: input }]]) }) as const;
  const step: PlannedStep = {
    kind: 'switch',
    name: 's',
    needs: [],
    outputs: signature.outputs,
    required: true,
    perRow: true,
    arms: [0, 1].map((arm) => ({ rule: rule(arm), target: target(arm) })),
    otherwise: target(2),
  };
  const graphOf = open(
    planOf({ inputs: [input], outputs: [output] }, [step], output.name, 's'),
    predictors.map((predictor, index) => bound(`m${index}`, predictor)),
  );
  const rows = 1000;
  const data = Float32Array.from({ length: rows * width }, (_, index) => Math.sin(index));
  const inputs = { [input.name]: float32([rows, width], data) };
  const byHand = async () => {
    const of = context();
    const groups: number[][] = [[], [], []];
    for (let row = 0; row < rows; row += 1) groups[armOf(data[row * width] ?? 0)]?.push(row);
    const parts = await Promise.all(
      groups.map(async (group, arm) => {
        const part = new Float32Array(group.length * width);
        for (const [to, row] of group.entries()) part.set(data.subarray(row * width, (row + 1) * width), to * width);
        const answer = await predictors[arm]?.predict({ [input.name]: float32([group.length, width], part) }, of);
        return { group, tensor: answer?.outputs[output.name] };
      }),
    );
    const elements = rowElements(output.shape);
    const whole = new Float32Array(rows * elements);
    for (const { group, tensor } of parts) {
      if (tensor?.datatype !== 'FP32') throw new Error('the bench needs a model of FP32');
      for (const [from, row] of group.entries())
        whole.set(tensor.data.subarray(from * elements, (from + 1) * elements), row * elements);
    }
    return float32([rows, elements], whole);
  };
  return {
    what: 'switch by row, 1000 rows, three arms ÷ by hand, p50',
    bar: 1.25,
    unit: 'Ms',
    measure: p50,
    graph: () => graphOf.predict(inputs, context()),
    byHand,
  };
}

async function openModel(name: string): Promise<Predictor & { readonly example: Tensors | undefined }> {
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const batching = {
    enabled: true,
    maxSize: 64,
    maxRequestRows: 1024,
    maxDelayMs: 0,
    maxQueueRows: 10_000,
    maxQueueBytes: 2 ** 30,
  };
  return loadModel(
    {
      name,
      version: '1',
      path,
      instances: 1,
      batching,
      session: { intraOpThreads: 1 },
      timeoutMs: 60_000,
      loadTimeoutMs: 60_000,
    },
    { clock: systemClock, log },
  );
}

// More than a little means that something else runs.
const loadBefore = os.loadavg()[0];
const models = await Promise.all(['a', 'b', 'c'].map(openModel));
const [first] = models;
if (first?.example === undefined) throw new Error('the model takes no made-up request');
const fakes = models.map(({ signature }) => instant(signature));
const report = [
  ...(await sequenceRows('real members', models, first.example, [1.1, 1.25])),
  ...(await sequenceRows('members that answer at once', fakes, first.example, [undefined, undefined])),
  await compare(switchRow(models, first.signature)),
];
await Promise.all(models.map((model) => model.close()));
await rm(folder, { recursive: true });
process.stdout.write(`${JSON.stringify({ loadBefore, rounds, report }, null, 2)}\n`);
