import { basename, resolve } from 'node:path';
import { AppError } from '../errors.ts';
import { defaultPictureThreads, FaceTools } from '../faces/face-tools.ts';
import { type ModelFace, modelFaceOf } from '../faces/model-face.ts';
import { createOpenFace } from '../faces/open-face.ts';
import { loadModel } from '../inference/model.ts';
import { createAssemble } from '../models/assemble.ts';
import type { Members } from '../models/registry/lease.ts';
import { readModelFolder } from '../models/repository/model-folder.ts';
import type { FaceReport, OpenFace } from '../models/version-face.ts';
import { systemClock } from '../timing/clock.ts';
import type { LoadedFace, LoadFaceOptions } from './face.ts';

const noMembers: Members = {
  find: () => undefined,
  arms: () => [],
  lease: (name) => {
    throw new AppError('MODEL_NOT_READY', { message: `The member ${name} is not loaded` });
  },
};

const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** Finds the face of the highest version of a model, and proves it on the model, which is let go then. */
export async function openFace(folder: string, options: LoadFaceOptions): Promise<LoadedFace> {
  const { pictureThreads = defaultPictureThreads() } = options;
  const tools = new FaceTools({ log: silent, pictureThreads });
  try {
    const face = await findFace(folder, createOpenFace({ tools, clock: systemClock, log: silent }));
    const close = async () => {
      await face.close?.();
      await tools[Symbol.asyncDispose]();
    };
    const { kind, settings, domain } = face;
    return { kind, settings, domain, close, [Symbol.asyncDispose]: close };
  } catch (thrown) {
    await tools[Symbol.asyncDispose]();
    throw thrown;
  }
}

async function findFace(folder: string, open: OpenFace): Promise<ModelFace> {
  const name = basename(resolve(folder)).replaceAll(/[^A-Za-z0-9._-]/g, '-');
  const read = await readModelFolder(folder, name);
  if ('error' in read) throw read.error;
  const [artifact] = read.versions;
  if (artifact === undefined) throw new AppError('FACE_INVALID', { message: `${folder} has no version` });
  let report: FaceReport | undefined;
  const assemble = createAssemble({
    loadModel: (model) => loadModel(model, { clock: systemClock, log: silent }),
    openFace: async (material, signal) => {
      report = await open(material, signal);
      return report;
    },
    log: silent,
  });
  const { predictor, release } = await assemble({ name, manifest: read.manifest, artifact }, noMembers);
  await predictor.close();
  await release?.();
  const face = report?.state === 'ready' ? modelFaceOf(report.face) : undefined;
  if (face !== undefined) return face;
  const why = report !== undefined && 'why' in report ? report.why : 'nothing was found';
  throw new AppError('FACE_INVALID', { message: `${folder} has no face: ${why}` });
}
