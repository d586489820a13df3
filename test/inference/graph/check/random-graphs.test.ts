import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/errors.ts';
import { readGraphFile } from '../../../../src/inference/graph/file/read-graph-file.ts';
import type { GraphPlan } from '../../../../src/inference/graph/graph-plan.ts';
import { createRuleCompiler } from '../../../../src/rules/cel-rules.ts';
import { faultsOf, type Members, plan } from './plan.ts';

const compileRule = createRuleCompiler();

const members: Members = {
  scores: [{ x: 'FP32 -1,3' }, { value: 'FP32 -1,3' }],
  ints: [{ x: 'INT64 -1,3' }, { value: 'FP32 -1,3' }],
  lone: [{ x: 'FP32 -1,1' }, { value: 'FP32 -1,3' }],
};

/** A step that reads some of the steps before it, all of which give `value` FP32 [-1,3]. */
function stepOf(name: string, before: readonly string[]): fc.Arbitrary<object> {
  const source = fc.constantFrom('input.x', ...before.map((step) => `${step}.value`));
  const sources = fc.uniqueArray(source, { minLength: 1, maxLength: 4 });
  const rule = source.map((text) => `${text}[0] > 0.5`);
  const call = fc.oneof(
    source.map((from) => ({ model: 'scores', in: { x: from } })),
    source.map((from) => ({ model: 'ints', in: { x: { from, cast: 'INT64' } } })),
    source.map((from) => ({ model: 'lone', in: { x: { from, columns: [1] } } })),
    source.map((from) => ({ model: 'scores', in: { x: from }, fallback: 'scores' })),
    fc.constant({ model: 'scores', in: { x: { value: [1, 2, 3] } } }),
  );
  const use = source.map((from) => ({ use: { value: from } }));
  const target = fc.oneof(call, use);
  const arm = fc.tuple(rule, target).map(([when, what]) => ({ when, ...what }));
  const choice = fc.record({ switch: fc.array(arm, { minLength: 1, maxLength: 3 }), otherwise: target });
  const combination = fc
    .tuple(fc.constantFrom('mean', 'max', 'min'), sources)
    .map(([combine, of]) => ({ combine, of }));
  return fc.oneof(call, choice, combination).map((what) => ({ name, ...what }));
}

const graphs = fc.integer({ min: 1, max: 16 }).chain((count) => {
  const names = Array.from({ length: count }, (_, index) => `step${index}`);
  const first = { name: 'step', model: 'scores' };
  const steps = fc.tuple(...names.map((name, index) => stepOf(name, ['step', ...names.slice(0, index)])));
  const all = steps.map((others) => ({ steps: [first, ...others], last: names.at(-1) ?? 'step' }));
  return all.chain(({ steps, last }) =>
    fc
      .shuffledSubarray(steps, { minLength: steps.length })
      .map((shuffled) => ({ steps: shuffled, outputs: { value: `${last}.value` } })),
  );
});

function orderFaults({ steps }: GraphPlan): string[] {
  const done = new Set<string>();
  return steps.flatMap(({ name, needs }) => {
    const early = needs.filter((need) => !done.has(need));
    done.add(name);
    return early;
  });
}

describe('a graph without mistakes', () => {
  it('is planned whole, each step after those that it needs', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const planned = plan(graph, members, compileRule);
        expect(planned.steps.map(({ name }) => name).toSorted()).toEqual(
          graph.steps.map((step) => Reflect.get(step, 'name')).toSorted(),
        );
        expect(orderFaults(planned)).toEqual([]);
        expect(planned.signature).toEqual({
          inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
          outputs: [{ name: 'value', datatype: 'FP32', shape: [-1, 3] }],
        });
      }),
    );
  });

  it('has a fault with one wire that leads from nowhere', () => {
    fc.assert(
      fc.property(graphs, fc.nat(), (graph, at) => {
        const text = JSON.stringify(graph);
        const places = [...text.matchAll(/step\d*\.value"/g)].map(({ index }) => index);
        const place = places[at % places.length] ?? 0;
        const broken = JSON.parse(`${text.slice(0, place)}nowhere.value"${text.slice(text.indexOf('"', place) + 1)}`);
        expect(faultsOf(broken, members, compileRule).length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('any graph', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'input', 'rows', 'A');
  const tensors = fc.constantFrom('a.value', 'b.value', 'c.count', 'input.x', 'input.y', 'a', '', 'a.', 'b.from');
  const datatypes = fc.constantFrom('FP32', 'INT64', 'BYTES', 'FP33');
  const numbers = fc.oneof(fc.integer({ min: -2, max: 5 }), fc.double());
  const wire = fc.oneof(
    tensors,
    fc.record(
      {
        from: tensors,
        cast: datatypes,
        reshape: fc.array(numbers, { maxLength: 3 }),
        columns: fc.array(numbers, { maxLength: 3 }),
      },
      { requiredKeys: ['from'] },
    ),
    fc.record({ value: fc.jsonValue({ maxDepth: 3 }), cast: datatypes }, { requiredKeys: ['value'] }),
  );
  const wires = fc.dictionary(fc.constantFrom('x', 'y', 'value'), wire, { maxKeys: 2 });
  const models = fc.constantFrom('scores', 'ints', 'lone', 'none');
  const fallback = fc.oneof(
    models,
    fc.record({ outputs: fc.dictionary(fc.constantFrom('value', 'z'), fc.jsonValue({ maxDepth: 2 })) }),
  );
  const call = fc.record({ model: models, in: wires, fallback }, { requiredKeys: ['model'] });
  const target = fc.oneof(call, fc.record({ use: wires }));
  const rules = fc.constantFrom('a.value[0] > 1', 'input.x[0] > 1.0', 'rows > 1', 'input.y', 'c.count == 2');
  const arm = fc.tuple(fc.record({ when: rules }), target).map(([when, what]) => ({ ...when, ...what }));
  const combination = fc.record(
    {
      combine: fc.constantFrom('vote', 'mean', 'max', 'min', 'concat', 'first', 'fastest'),
      of: fc.array(tensors, { maxLength: 3 }),
      weights: fc.array(numbers, { maxLength: 3 }),
      quorum: fc.integer({ min: 0, max: 3 }),
      waitMs: fc.constant(5),
      index: fc.boolean(),
      axis: fc.integer({ min: -2, max: 3 }),
    },
    { requiredKeys: ['combine', 'of'] },
  );
  const choice = fc.record({
    switch: fc.array(arm, { maxLength: 2 }),
    otherwise: fc.oneof(target, fc.constant('refuse')),
  });
  const step = fc.tuple(
    fc.record({ name: names, required: fc.boolean() }, { requiredKeys: ['name'] }),
    fc.oneof(call, choice, combination),
  );
  const input = fc.record({ datatype: datatypes, shape: fc.array(numbers, { maxLength: 3 }) }, { requiredKeys: [] });
  const graph = fc.record(
    {
      steps: fc.array(
        step.map(([common, what]) => ({ ...common, ...what })),
        { maxLength: 4 },
      ),
      inputs: fc.dictionary(fc.constantFrom('x', 'y'), input),
      outputs: fc.dictionary(fc.constantFrom('value', 'z'), tensors, { maxKeys: 2 }),
    },
    { requiredKeys: ['steps'] },
  );

  it('is planned, or refused with faults that each say where', () => {
    fc.assert(
      fc.property(graph, (file) => {
        try {
          expect(orderFaults(plan(readGraphFile('graph.json', JSON.stringify(file)), members, compileRule))).toEqual(
            [],
          );
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          expect(error.code).toBe('GRAPH_INVALID');
          expect(error.faults.length).toBeGreaterThan(0);
          for (const { location, message } of error.faults)
            expect(message.startsWith(`${location.join('.')}: `)).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

it('checks 64 steps that all read all before them', () => {
  const steps: object[] = [{ name: 'step0', model: 'scores' }];
  for (let index = 1; index < 64; index++) {
    const wires = Array.from({ length: index }, (_, before) => `step${before}.value`);
    const arms = wires.map((from) => ({ when: `${from}[0] > 0.5`, use: { value: from } }));
    steps.push({ name: `step${index}`, switch: arms, otherwise: { use: { value: 'input.x' } } });
  }
  expect(plan({ steps }, members, compileRule).steps).toHaveLength(64);
});
