import { toAppError } from '../../../errors.ts';
import type { Tensors } from '../../../tensor/tensor.ts';
import type { PredictContext, Prediction, Predictor, StepOutcome } from '../../predictor.ts';
import type { AnswerPacker, PackedAnswer } from '../packed-answer.ts';
import type { UnitRequest } from '../read-units.ts';
import type { SharedAnswer } from '../shared/shared-answers.ts';
import { copyRows } from '../unit-tensors.ts';
import type { RunEnd } from './unit-run.ts';

/** Units to be answered, each once. */
export interface UnitsToRun extends Pick<UnitRequest, 'unit' | 'count'> {
  /** Their inputs, which stay as they are until the run has ended. */
  readonly inputs: Tensors;
  readonly context: PredictContext;
}

export interface RunDependencies {
  readonly predictor: Predictor;
  readonly packer: AnswerPacker;
  /** Looks up what other servers have; undefined where that is not to be done. */
  readonly findShared: (() => Promise<readonly (SharedAnswer | undefined)[]>) | undefined;
  /** Keeps the answer of a unit. @returns whether it is kept */
  readonly keep: (index: number, answer: PackedAnswer) => boolean;
  /** Keeps what another server had, here. */
  readonly keepShared: (index: number, answer: PackedAnswer, ttlMs: number) => void;
}

/** How a step ends whose graph answers otherwise than it does when all is well. */
const troubled: readonly StepOutcome[] = ['failed', 'fell_back', 'timeout'];

/** Answers units: by what other servers have, else by the predictor. It does not reject. */
export async function runUnits(units: UnitsToRun, dependencies: RunDependencies): Promise<RunEnd> {
  try {
    return await run(units, dependencies);
  } catch (thrown) {
    return { kind: 'failed', error: toAppError(thrown) };
  }
}

async function run(
  { unit, count, inputs, context }: UnitsToRun,
  { predictor, packer, findShared, keep, keepShared }: RunDependencies,
): Promise<RunEnd> {
  const shared = findShared === undefined ? [] : await findShared();
  const answers: (PackedAnswer | undefined)[] = [];
  const missing: number[] = [];
  const sharedTtlMs: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const found = shared[index];
    const packed = found && packer.pack(found.answer);
    answers.push(packed);
    if (found === undefined || packed === undefined) {
      missing.push(index);
      continue;
    }
    keepShared(index, packed, found.ttlMs);
    sharedTtlMs.push(found.ttlMs);
  }
  let prediction: Prediction | undefined;
  let stored = 0;
  if (missing.length > 0) {
    prediction = await predictor.predict(missing.length === count ? inputs : copyRows(inputs, missing), context);
    const ran = divide(prediction, { unit, count: missing.length, packer, predictor });
    if (ran === undefined) return { kind: 'indivisible', prediction };
    const isSound = prediction.steps?.some(({ outcome }) => troubled.includes(outcome)) !== true;
    for (const [at, index] of missing.entries()) {
      const answer = ran[at];
      answers[index] = answer;
      if (answer !== undefined && isSound && keep(index, answer)) stored += 1;
    }
  }
  return {
    kind: 'answered',
    answers: answers.filter((answer) => answer !== undefined),
    prediction,
    sharedTtlMs,
    stored,
  };
}

interface Divided extends Pick<UnitRequest, 'unit' | 'count'> {
  readonly packer: AnswerPacker;
  readonly predictor: Predictor;
}

function divide({ outputs }: Prediction, { unit, count, packer, predictor }: Divided) {
  if (unit === 'row') return predictor.independentRows ? packer.packRows(outputs, count) : undefined;
  const packed = packer.pack(outputs);
  return packed && [packed];
}
