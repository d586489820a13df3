import { expect, test } from 'vitest';
import type { Signature } from '../../../src/tensor/tensor.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { hiddenStates, sumScores, textSignature } from '../fake-text-model.ts';
import { writeCompanions } from '../fake-tokenizer.ts';
import { openFake } from '../open-fake.ts';

const classifier = (labels: number) => ({
  architectures: ['BertForSequenceClassification'],
  id2label: Object.fromEntries(Array.from({ length: labels }, (_, index) => [index, `label ${index}`])),
});
const scores = (classes: number): Signature['outputs'] => [{ name: 'logits', datatype: 'FP32', shape: [-1, classes] }];
const states: Signature['outputs'] = [{ name: 'last_hidden_state', datatype: 'FP32', shape: [-1, -1, 2] }];

test.each([
  ['text-classification', scores(2), classifier(2)],
  ['reranking', scores(1), classifier(1)],
  ['embedding', states, { architectures: ['BertModel'] }],
])('a face of the kind %s holds no tokenizer when its example is broken', async (_kind, outputs, config) => {
  await using folder = await temporaryFolder();
  const files = { 'tokenizer.json': {}, 'config.json': config };
  const model = {
    signature: textSignature(outputs),
    outputs:
      outputs === states
        ? hiddenStates
        : (inputs: Parameters<typeof sumScores>[0]) => sumScores(inputs, outputs[0]?.shape[1] ?? 0),
    words: true,
    folder: folder.path,
  };
  await writeCompanions(folder.path, files);
  await using whole = await openFake(model);
  expect([whole.report.state, whole.hasTokenizer()]).toEqual(['ready', true]);
  await writeCompanions(folder.path, { 'example.json': ['a list'] });
  await using broken = await openFake(model);
  expect(broken.report).toEqual({ state: 'invalid', why: 'example.json: expected an object' });
  expect(broken.hasTokenizer()).toBe(false);
});
