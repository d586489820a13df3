import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AppError } from '../../../../src/errors.ts';
import type { PlannedStep } from '../../../../src/inference/graph/graph-plan.ts';
import { float32, type Tensor } from '../../../../src/tensor/tensor.ts';
import { FakePredictor } from '../../../helpers/fake-predictor.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { asking, bound, openGraph, watch } from '../graphs.ts';
import { anything, call, combination, model, plan, rowRule, source, switching, use } from '../plans.ts';

/** One step as the generator draws it; picks name earlier tensors, modulo how many there are. */
interface Drawn {
  readonly kind: 'model' | 'switch' | 'mean' | 'max' | 'min' | 'first';
  readonly picks: readonly number[];
  readonly plus: number;
  readonly afterMs: number;
  readonly fails: boolean;
  readonly quorum: number;
}

const drawnStep: fc.Arbitrary<Drawn> = fc.record({
  kind: fc.constantFrom('model', 'model', 'switch', 'mean', 'max', 'min', 'first'),
  picks: fc.array(fc.nat(), { minLength: 3, maxLength: 3 }),
  plus: fc.integer({ min: -3, max: 3 }),
  afterMs: fc.integer({ min: 0, max: 20 }),
  fails: fc.boolean(),
  quorum: fc.integer({ min: 1, max: 3 }),
});

const drawnGraph = fc.record({
  steps: fc.array(drawnStep, { minLength: 1, maxLength: 10 }),
  rows: fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3, max: 3 })), { maxLength: 5 }),
  outputs: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
});

/** A step of the reference: how a row of it is made of rows of others. */
interface Reference {
  readonly name: string;
  readonly path: string;
  readonly needs: readonly string[];
  /** Whether it goes on when some of its needs are absent. */
  readonly isCombination: boolean;
  /** Undefined where it fails. */
  readonly row: (needs: readonly (Row | undefined)[]) => Row | undefined;
}

type Row = readonly [number, number];
const eachOf = (row: Row, of: (element: number) => number): Row => [Math.fround(of(row[0])), Math.fround(of(row[1]))];

interface Built {
  readonly planned: PlannedStep[];
  readonly references: Map<string, Reference>;
}

function build(drawn: readonly Drawn[]): Built {
  const planned: PlannedStep[] = [];
  const references = new Map<string, Reference>();
  const paths = ['input.x'];
  const stepsOnly = () => paths.slice(1);
  for (const [index, { kind, picks, plus, fails, quorum }] of drawn.entries()) {
    const name = `s${index}`;
    const pick = (at: number, of: readonly string[] = paths) => of[(picks[at] ?? 0) % of.length] ?? 'input.x';
    const add = (step: PlannedStep, reference: Omit<Reference, 'name'>) => {
      planned.push(step);
      references.set(name, { name, ...reference });
      paths.push(reference.path);
    };
    const first = stepsOnly().filter((path) => path.endsWith('.y'));
    if (kind === 'switch') {
      const [ruled, left, right] = [pick(0), pick(1), pick(2)];
      const arms = [{ rule: rowRule(ruled, (element) => element > plus), target: call(index, left) }];
      add(switching(name, { arms, otherwise: use({ y: right }) }), {
        path: `${name}.y`,
        needs: [ruled, left, right],
        isCombination: false,
        row: ([of, one, other]) => {
          if (of === undefined || one === undefined || other === undefined) return undefined;
          return of[0] > plus ? eachOf(one, (element) => element + plus) : other;
        },
      });
    } else if (kind === 'first' && first.length > 0) {
      const of = [...new Set([pick(0, first), pick(1, first), pick(2, first)])];
      const steps = of.map((path) => source(path).step);
      add(combination(name, 'first', steps, { quorum: 1, outputs: [anything('y')] }), {
        path: `${name}.y`,
        needs: of,
        isCombination: true,
        row: (rows) => rows.find((row) => row !== undefined),
      });
    } else if ((kind === 'mean' || kind === 'max' || kind === 'min') && paths.length > 1) {
      const of = [pick(0), pick(1), pick(2)];
      const most = Math.min(quorum, of.length);
      add(combination(name, kind, of, { quorum: most, weights: [1, 2, 1] }), {
        path: `${name}.value`,
        needs: of,
        isCombination: true,
        row: (rows) => combined(kind, rows, most),
      });
    } else {
      const from = pick(0);
      add(model(name, call(index, from)), {
        path: `${name}.y`,
        needs: [from],
        isCombination: false,
        row: ([of]) => (of === undefined || fails ? undefined : eachOf(of, (element) => element + plus)),
      });
    }
  }
  return { planned, references };
}

function combined(kind: 'mean' | 'max' | 'min', rows: readonly (Row | undefined)[], quorum: number): Row | undefined {
  const present = rows.flatMap((row, index) => (row === undefined ? [] : [{ row, weight: index === 1 ? 2 : 1 }]));
  if (present.length < quorum) return undefined;
  const column = (at: 0 | 1) => {
    const values = present.map(({ row }) => row[at]);
    if (kind !== 'mean') return kind === 'max' ? Math.max(...values) : Math.min(...values);
    const sum = present.reduce((total, { row, weight }) => total + row[at] * weight, 0);
    return Math.fround(sum / present.reduce((total, { weight }) => total + weight, 0));
  };
  return [column(0), column(1)];
}

/** As the check of a graph says it: a step that feeds only what can do without it is optional. */
function optionalSteps(planned: readonly PlannedStep[], outputs: readonly string[]): Set<string> {
  const optional = new Set<string>();
  const used = new Set(outputs.map((path) => source(path).step));
  for (const { name, needs } of planned.toReversed()) if (used.has(name)) for (const need of needs) used.add(need);
  for (const { name } of planned.toReversed()) {
    const readers = planned.filter((reader) => used.has(reader.name)).filter(({ needs }) => needs.includes(name));
    const canDoWithout = (reader: PlannedStep) =>
      optional.has(reader.name) ||
      (reader.kind === 'combine' && (reader.combine === 'first' || reader.quorum < reader.of.length));
    const isOutput = outputs.some((path) => path.startsWith(`${name}.`));
    if (readers.length > 0 && !isOutput && readers.every(canDoWithout)) optional.add(name);
  }
  return optional;
}

/** Each element by itself, from the outputs back to the inputs. Throws where a step fails that the graph cannot do without. */
function evaluate(
  path: string,
  row: Row,
  { references, optional }: Built & { optional: Set<string> },
): Row | undefined {
  if (path === 'input.x') return row;
  const reference = references.get(source(path).step);
  if (reference === undefined) throw new Error(path);
  const needs = reference.needs.map((need) => evaluate(need, row, { references, optional, planned: [] }));
  const isAbsent = !reference.isCombination && needs.includes(undefined);
  const made = isAbsent ? undefined : reference.row(needs);
  if (made === undefined && !optional.has(reference.name)) throw new Error(`${path} fails`);
  return made;
}

it('a graph gives what its steps give one after the other, element by element', async () => {
  let answered = 0;
  let failed = 0;
  const property = fc.asyncProperty(drawnGraph, async ({ steps: drawn, rows, outputs: picks }) => {
    const clock = new VirtualClock();
    const built = build(drawn);
    const paths = [...built.references.values()].map(({ path }) => path);
    const outputs = Object.fromEntries(picks.map((pick, index) => [`o${index}`, paths[pick % paths.length] ?? '']));
    const optional = optionalSteps(built.planned, Object.values(outputs));
    const steps = built.planned.map((step) => ({ ...step, required: !optional.has(step.name) }));
    const died = new AppError('RUNNER_DIED', { message: 'it died', retryAfterSeconds: 1 });
    const members = drawn.map(({ kind, plus, afterMs, fails }) => {
      const outcome = ({ x }: { readonly x?: Tensor }) => {
        const values = x?.datatype === 'FP32' ? x.data : [];
        const y = float32(
          x?.shape ?? [0, 2],
          Array.from(values, (element) => element + plus),
        );
        return fails && kind !== 'switch' ? { error: died, afterMs } : { outputs: { y }, afterMs };
      };
      return bound('m', new FakePredictor({ clock, outcome }));
    });
    const { graph, held } = openGraph(plan(steps, outputs, { rowWise: false }), members, { clock });
    const answer = watch(graph.predict({ x: float32([rows.length, 2], rows.flat()) }, asking(clock)), clock);
    await clock.advance(500);
    expect(held()).toBe(0);

    // A step fails for all rows alike, also for none.
    const expected = (path: string) =>
      (rows.length === 0 ? [[0, 0] as const] : rows).map((row) => evaluate(path, row, { ...built, optional }));
    let wanted: Record<string, Tensor>;
    try {
      const entries = Object.entries(outputs).map(([name, path]) => {
        const made = expected(path).map((row) => row ?? [NaN, NaN]);
        return [name, float32([rows.length, 2], rows.length === 0 ? [] : made.flat())];
      });
      wanted = Object.fromEntries(entries);
    } catch {
      failed += 1;
      expect(answer.error).toMatchObject({
        code: expect.stringMatching(/RUNNER_DIED|QUORUM_NOT_REACHED/),
        kind: 'overloaded',
      });
      return;
    }
    answered += 1;
    expect(answer.error).toBeUndefined();
    expect(answer.value?.outputs).toEqual(wanted);
    const { queueMs, batchMs, inferMs } = answer.value?.timings ?? { queueMs: 0, batchMs: 0, inferMs: 0 };
    expect(queueMs + batchMs + inferMs).toBeLessThanOrEqual(answer.atMs ?? 0);
  });
  await fc.assert(property, { numRuns: 1000 });
  expect(answered).toBeGreaterThan(200);
  expect(failed).toBeGreaterThan(50);
}, 60_000);
