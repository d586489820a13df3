import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bucketOf } from '../../../src/faces/text-input/buckets.ts';
import { parseManifest } from '../../../src/models/manifest.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { sumScores, textSignature } from '../fake-text-model.ts';
import { writeCompanions } from '../fake-tokenizer.ts';
import { openFake } from '../open-fake.ts';

const config = {
  architectures: ['BertForSequenceClassification'],
  id2label: { 0: 'no', 1: 'yes' },
  max_position_embeddings: 64,
};

/** The shapes of the runs that five texts of 3, 3, 4, 9 and 21 tokens fill. */
async function runsOf(batching: object) {
  await using folder = await temporaryFolder();
  await writeCompanions(folder.path, { 'tokenizer.json': {}, 'config.json': config });
  await using opened = await openFake({
    signature: textSignature([{ name: 'logits', datatype: 'FP32', shape: [-1, 2] }]),
    outputs: (inputs) => sumScores(inputs, 2),
    words: true,
    folder: folder.path,
    manifest: { batching },
  });
  const words = [1, 1, 2, 7, 19];
  const texts = words.map((count) => ({ text: new Array(count).fill('word').join(' ') }));
  const answers = await opened.predict(...texts);
  expect(answers).toMatchObject(words.map((count) => ({ tokens: count + 2 })));
  const shapes = opened.asked().map(({ input_ids: ids }) => ids?.shape);
  const { report } = opened;
  return { shapes, padding: report.state === 'ready' ? report.face.padding : undefined };
}

it('pads texts to lengths that are usual, to those of the settings, or not at all', async () => {
  expect((await runsOf({})).shapes).toEqual([
    [3, 8],
    [1, 16],
    [1, 24],
  ]);
  expect((await runsOf({ buckets: [4, 10] })).shapes).toEqual([
    [3, 4],
    [1, 10],
    [1, 64],
  ]);
  const exact = await runsOf({ pad: false });
  expect(exact.shapes).toEqual([
    [2, 3],
    [1, 4],
    [1, 9],
    [1, 21],
  ]);
  expect(exact.padding).toEqual({
    joined: false,
    why: 'model.json says "pad": false: only texts of one length share runs.',
  });
});

it('puts no more tokens into a run than the settings say, and at least one text', async () => {
  expect((await runsOf({ maxTokens: 16 })).shapes).toEqual([
    [2, 8],
    [1, 8],
    [1, 16],
    [1, 24],
  ]);
});

it('refuses lengths that do not ascend', () => {
  expect(() => parseManifest('model.json', '{"batching": {"buckets": [8, 8]}}')).toThrow(
    'batching.buckets: expected numbers in ascending order',
  );
});

it('has a length for every text, that is not shorter, and no more than the model takes', () => {
  const lists = fc.uniqueArray(fc.integer({ min: 1, max: 600 }), { minLength: 1 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 512 }), fc.option(lists, { nil: undefined }), (length, own) => {
      const bucket = bucketOf(
        length,
        512,
        own?.toSorted((a, b) => a - b),
      );
      expect(bucket).toBeGreaterThanOrEqual(length);
      expect(bucket).toBeLessThanOrEqual(512);
    }),
  );
});
