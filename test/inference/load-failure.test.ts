import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadModel } from '../../src/inference/model.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { onnxModel, string } from '../helpers/onnx-model.ts';
import { modelOptions, recordingLog } from './models.ts';

/** As skl2onnx begins a text model, with the locale that it asks for. */
function normaliser(locale: string): Buffer {
  return onnxModel({
    inputs: { x: { element: string, shape: ['n'] } },
    outputs: { y: { element: string, shape: ['n'] } },
    nodes: [
      {
        op: 'StringNormalizer',
        inputs: ['x'],
        outputs: ['y'],
        attributes: [
          { name: 'case_change_action', string: 'LOWER' },
          { name: 'locale', string: locale },
        ],
      },
    ],
  });
}

test('a model that wants a locale which the system lacks names it, and how it is had', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'text.onnx');
  // No system has it.
  await writeFile(path, normaliser('xx_YY.UTF-8'));
  const load = () => loadModel({ ...modelOptions('text'), path }, { clock: systemClock, log: recordingLog() });
  await expect(load()).rejects.toMatchObject({
    code: 'MODEL_LOAD_FAILED',
    message: expect.stringMatching(
      /needs the locale xx_YY\.UTF-8, .*localedef -i xx_YY -f UTF-8 xx_YY\.UTF-8 .*ONNX Runtime: Exception/s,
    ),
  });

  await writeFile(path, normaliser('C'));
  const model = await load();
  await model.close();
});
