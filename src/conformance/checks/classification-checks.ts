import type { Tensor } from '../../tensor/tensor.ts';
import type { ModelCheck } from '../check.ts';
import { readInferReply } from '../infer-reply.ts';
import { jsonRequest } from '../infer-request.ts';
import { show } from '../json.ts';
import { acceptedExamples, inferJson, type ModelUnderTest, plainAnswer } from '../model-under-test.ts';
import { elementsOf } from '../same-tensor.ts';
import { expect, NotTried } from '../verdict.ts';

/** Every class of an output is asked for, which the protocol cuts to those there are. */
const allClasses = 1000;

/** The texts of the classification extension, held against the output itself. */
export const classificationChecks: readonly ModelCheck[] = [
  {
    id: 'classification.best',
    section: 'Classification Extension',
    level: 'MUST',
    says: 'Classification 1 gives the greatest value of each row and its index',
    run: (model) => checkClasses(model, 1),
  },
  {
    id: 'classification.all',
    section: 'Classification Extension',
    level: 'MUST',
    says: 'More classes than there are give all of them, the greatest value first',
    run: (model) => checkClasses(model, allClasses),
  },
];

async function checkClasses(model: ModelUnderTest, top: number): Promise<void> {
  if (!model.server.extensions.has('classification')) {
    throw new NotTried('the server does not advertise classification');
  }
  for (const example of acceptedExamples(model)) {
    const [name, tensor] = numericOutput(plainAnswer(example));
    const outputs = [{ name, parameters: { classification: top } }];
    const reply = readInferReply(await inferJson(model, { ...jsonRequest(example.inputs), outputs }));
    const classes = reply.outputs.get(name);
    expect(classes?.datatype === 'BYTES', `output ${show(name)} is ${classes?.datatype ?? 'missing'}, not BYTES`);
    expectClasses(classes, tensor, top);
  }
}

function numericOutput(answer: ReadonlyMap<string, Tensor>): [string, Tensor] {
  for (const [name, tensor] of answer) {
    if (/INT|FP32|FP64/.test(tensor.datatype) && elementsOf(tensor).length > 0) return [name, tensor];
  }
  throw new NotTried('the model has no output of numbers');
}

function expectClasses({ shape, data }: Tensor, tensor: Tensor, top: number): void {
  const values = elementsOf(tensor).map(Number);
  // A list of texts is about one row, a table of them about as many as it has lines.
  const rows = shape.length === 1 ? 1 : (shape[0] ?? 0);
  const perRow = values.length / rows;
  const expected = Math.min(top, perRow);
  expect(
    shape.length <= 2 && shape.at(-1) === expected,
    `the shape is ${show(shape)}, expected ${expected} classes a row`,
  );
  for (let row = 0; row < rows; row++) {
    const best = values.slice(row * perRow, (row + 1) * perRow).sort((a, b) => b - a);
    const seen = new Set<number>();
    for (let place = 0; place < expected; place++) {
      const text = String(data[row * expected + place]);
      const [, value, index] = /^([^:]+):(\d+)(?::|$)/.exec(text) ?? [];
      expect(value !== undefined, `a class is ${show(text)}, not "value:index"`);
      expect(!seen.has(Number(index)), `the index of ${show(text)} came twice`);
      seen.add(Number(index));
      const wanted = Number(best[place]);
      // Six decimals are printed, and the index has to be that of such a value.
      const isBest = near(Number(value), wanted) && near(Number(values[row * perRow + Number(index)]), wanted);
      expect(isBest, `place ${place} of row ${row} is ${show(text)}, the value there is ${wanted}`);
    }
  }
}

function near(received: number, expected: number): boolean {
  if (Number.isNaN(expected) || !Number.isFinite(expected)) return true;
  return Math.abs(received - expected) <= 1e-5 * Math.max(1, Math.abs(expected));
}
