import { describe, expect, test, vi } from 'vitest';
import { SpotChecks } from '../../../src/inference/independence/spot-checks.ts';
import { loadModel } from '../../../src/inference/model.ts';
import { float32, type Tensor } from '../../../src/tensor/tensor.ts';
import { systemClock } from '../../../src/timing/clock.ts';
import { context, modelOptions, outputsOf, recordingLog } from '../models.ts';
import { floats, floatValue, integers, modelFile } from './models.ts';

function setUp(alone: (row: Tensor) => Tensor) {
  let nowMs = 0;
  const checked: (string | undefined)[] = [];
  const asked: (readonly Tensor[])[] = [];
  const checks = new SpotChecks({
    clock: { now: () => nowMs },
    outputNames: ['y'],
    random: () => 0.5,
    runAlone: async (row) => {
      asked.push(row);
      return row.map(alone);
    },
    onChecked: (difference) => checked.push(difference),
  });
  const run = {
    members: [
      { inputs: [float32([1, 1], [1])], rows: 1 },
      { inputs: [float32([2, 1], [2, 3])], rows: 2 },
    ],
    outputIndexes: [0],
    outputs: [float32([3, 1], [1, 2, 3])],
    rows: 3,
  };
  return {
    checked,
    asked,
    look: async () => {
      checks.look(run);
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    },
    passMs: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('a spot check', () => {
  test('runs one row of a shared run alone, and compares', async () => {
    const { look, checked, asked } = setUp((row) => row);
    await look();
    expect(asked).toEqual([[float32([1, 1], [2])]]);
    expect(checked).toEqual([undefined]);
  });

  test('tells of a difference', async () => {
    const { look, checked } = setUp(() => float32([1, 1], [9]));
    await look();
    expect(checked).toEqual(['output "y" is 9 alone and 2 beside others']);
  });

  test('is made each half second at first, and each ten seconds after two minutes', async () => {
    const { look, asked, passMs } = setUp((row) => row);
    for (let run = 0; run < 1000; run += 1) {
      passMs(10);
      await look();
    }
    expect(asked).toHaveLength(20);
    passMs(120_000);
    for (let run = 0; run < 1000; run += 1) {
      passMs(100);
      await look();
    }
    expect(asked).toHaveLength(30);
  });

  test('that cannot be run shows nothing', async () => {
    const { look, checked } = setUp(() => {
      throw new Error('queue full');
    });
    await look();
    expect(checked).toEqual([]);
  });
});

const untilFound = { timeout: 50_000, interval: 1 };

/** Adds the mean of the batch beyond a million, and below a hundred million, to every row: a dependence that made-up values do not show. */
async function rarelyDependent(): Promise<string> {
  return modelFile({
    inputs: { x: floatValue('n', 2) },
    outputs: { y: floatValue('n', 2) },
    initializers: [
      floats('million', [1e6]),
      floats('most', [1e8]),
      floats('none', [0]),
      integers('shape', [1, 2, -1]),
      integers('row', [1, 2]),
    ],
    nodes: [
      { op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: [{ name: 'perm', ints: [1, 0] }] },
      { op: 'Reshape', inputs: ['t', 'shape'], outputs: ['r'] },
      { op: 'GlobalAveragePool', inputs: ['r'], outputs: ['p'] },
      { op: 'Reshape', inputs: ['p', 'row'], outputs: ['m'] },
      { op: 'Sub', inputs: ['m', 'million'], outputs: ['s'] },
      { op: 'Relu', inputs: ['s'], outputs: ['beyond'] },
      { op: 'Less', inputs: ['m', 'most'], outputs: ['isLess'] },
      { op: 'Where', inputs: ['isLess', 'beyond', 'none'], outputs: ['extra'] },
      { op: 'Add', inputs: ['x', 'extra'], outputs: ['y'] },
    ],
  });
}

test('a model whose rows turn out to depend on each other is joined no more, from the first difference on', async () => {
  const log = recordingLog();
  const outcomes: string[] = [];
  const events = { onSpotCheck: (_model: string, _version: string, outcome: string) => outcomes.push(outcome) };
  const options = modelOptions('linear', { path: await rarelyDependent() });
  await using model = Object.assign(await loadModel(options, { clock: systemClock, log, events }), {
    [Symbol.asyncDispose]: () => model.close(),
  });
  expect(model.independence.independentRows).toBe(true);
  const ask = (value: number) => outputsOf(model, { x: float32([1, 2], [value, value]) }, context());
  await vi.waitFor(async () => {
    await Promise.all([1e7, 2e7, 3e7, 4e7].map(ask));
    expect(model.independence.independentRows).toBe(false);
  }, untilFound);
  expect(model.independence.why).toMatch(
    /While it served, a row that shared a run was not what it is alone: output "y"/,
  );
  expect(outcomes).toContain('different');
  expect(log.entries).toContainEqual(expect.objectContaining({ level: 'error' }));
  const answers = await Promise.all([1e7, 2e7, 3e7].map(ask));
  // Alone, a row is its own mean.
  expect(answers.map(({ y }) => y?.data[0])).toEqual([1e7 + 9e6, 2e7 + 1.9e7, 3e7 + 2.9e7]);
  const long = float32(
    [40, 2],
    Array.from({ length: 80 }, () => 1e7),
  );
  const { y } = await outputsOf(model, { x: long }, context());
  expect(y?.data[79]).toBe(1e7 + 9e6);
});
