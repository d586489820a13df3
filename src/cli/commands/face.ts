import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { z } from 'zod';
import { AppError, toAppError } from '../../errors.ts';
import { defaultPictureThreads, FaceTools } from '../../faces/face-tools.ts';
import { createOpenFace } from '../../faces/open-face.ts';
import { ModelFaces } from '../../faces/serving/model-faces.ts';
import { facePrediction } from '../../faces/serving/predict-face.ts';
import { readModelFolder } from '../../models/repository/model-folder.ts';
import { ServedCounters } from '../../served/served-counters.ts';
import { backgroundTerms } from '../../serving/call-terms.ts';
import { createInfer } from '../../serving/infer.ts';
import { systemClock } from '../../timing/clock.ts';
import { defineCommand, text } from '../arguments/command.ts';
import { openLocalRegistry, silent } from '../local-registry.ts';
import { compareAnswers } from './compare-answers.ts';

const options = z.object({
  check: text(
    '<file>',
    'JSON with instances and the predictions that a reference makes of them, to compare with',
    z.string().optional(),
  ),
  tolerance: text(
    '<number>',
    'How far a number may be from that of the reference (default: 0.00001)',
    z.coerce.number('expected a number').min(0).default(1e-5),
  ),
});

/** Shows the face of a model, after its example has been answered. */
export const faceCommand = defineCommand({
  name: 'face',
  synopsis: '<folder>',
  about: `Finds out how the model of a folder is used, by the files beside its graph and its model.json; runs the example, and
prints the face as model.json would say it. The exit code is 1 where there is none, or it does not work.`,
  options,
  operands: z.tuple([z.string()], 'Expected the folder of a model'),
  async run(values, [folder]) {
    try {
      return await showFace(folder, values);
    } catch (thrown) {
      process.stderr.write(`inferd face: ${toAppError(thrown).message}\n`);
      return 1;
    }
  },
});

const timeoutMs = 60_000;

const reference = z.looseObject({ instances: z.array(z.unknown()).min(1), predictions: z.array(z.unknown()) });

async function showFace(folder: string, { check, tolerance }: z.output<typeof options>): Promise<number> {
  const tools = new FaceTools({ log: silent, pictureThreads: defaultPictureThreads() });
  const registry = openLocalRegistry({ openFace: createOpenFace({ tools, clock: systemClock, log: silent }) });
  const name = basename(resolve(folder)).replaceAll(/[^A-Za-z0-9._-]/g, '-');
  try {
    const [failure] = await registry.syncModel(await readModelFolder(folder, name));
    if (failure !== undefined) throw failure;
    const { faceReport } = registry.get(name).versions[0] ?? {};
    if (faceReport?.state !== 'ready') {
      throw new AppError('FACE_INVALID', {
        message: `${folder} has no face: ${faceReport?.why ?? 'it has no version'}`,
      });
    }
    const faces = new ModelFaces(registry);
    const infer = createInfer({ registry, clock: systemClock, timeoutMs, counters: new ServedCounters() });
    const answer = async (instances: readonly unknown[]) => {
      const body = { shape: 'many', query: {}, content: { json: { instances } } } as const;
      const { encode, decode, ...asked } = facePrediction(faces.lease(name), body).prediction;
      const terms = backgroundTerms({ requestId: 'face', signal: new AbortController().signal, caller: undefined });
      return (await infer({ ...terms, ...asked }, encode, decode)).answer;
    };
    const leased = faces.lease(name);
    leased.lease.release();
    const { settings, domain } = leased.face;
    const [example] = domain.examples;
    process.stdout.write(`${JSON.stringify({ face: settings }, undefined, 2)}\n`);
    process.stderr.write(
      `Its example ${JSON.stringify(example)} gives ${JSON.stringify((await answer([example]))[0])}\n`,
    );
    return check === undefined ? 0 : await compare(check, tolerance, answer);
  } finally {
    await registry.close();
    await tools[Symbol.asyncDispose]();
  }
}

async function compare(
  path: string,
  tolerance: number,
  answer: (instances: readonly unknown[]) => Promise<readonly unknown[]>,
): Promise<number> {
  const { instances, predictions } = reference.parse(JSON.parse(await readFile(path, 'utf8')));
  const { largest, faults } = compareAnswers(predictions, await answer(instances), tolerance);
  process.stderr.write(`${instances.length} instances; numbers differ by at most ${largest}\n`);
  for (const fault of faults.slice(0, 100)) process.stderr.write(`${fault}\n`);
  return faults.length === 0 ? 0 : 1;
}
