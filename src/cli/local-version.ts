import type { AnyDomain } from '../domains/define-domain.ts';
import { signatureProblem } from '../domains/faces.ts';
import { AppError } from '../errors.ts';
import { defaultPictureThreads, FaceTools } from '../faces/face-tools.ts';
import { modelFaceOf } from '../faces/model-face.ts';
import { createOpenFace } from '../faces/open-face.ts';
import type { Lease } from '../models/registry/lease.ts';
import { scanRepository } from '../models/repository/repository.ts';
import { ServedCounters } from '../served/served-counters.ts';
import { createInfer, type Infer } from '../serving/infer.ts';
import { systemClock } from '../timing/clock.ts';
import { openLocalRegistry, silent, withMembers } from './local-registry.ts';

/** A version of a model that this process runs for itself. */
export interface LocalVersion {
  readonly infer: Infer;
  readonly served: Pick<Lease, 'name' | 'version' | 'manifest' | 'predictor' | 'face'>;
}

export interface LocalVersionOptions {
  readonly modelsDir: string;
  readonly modelName: string | undefined;
  readonly model: string;
  /** Undefined: the highest there is. */
  readonly version: string | undefined;
}

const timeoutMs = 60_000;

/**
 * Works with one version out of a model repository, whatever the version policy of the model says, and unloads it.
 *
 * @throws AppError `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND`, and what loading throws
 */
export async function withLocalVersion<Result>(
  options: LocalVersionOptions,
  work: (local: LocalVersion) => Promise<Result>,
): Promise<Result> {
  const { modelsDir, modelName, model, version } = options;
  const folders = await scanRepository(modelsDir, { ownName: modelName, policy: 'all' });
  const folder = folders.find(({ name }) => name === model);
  if (folder === undefined) {
    const names = folders.map(({ name }) => name);
    const message = `There is no model ${JSON.stringify(model)} in ${modelsDir}; there are: ${names.join(', ') || 'none'}`;
    throw new AppError('MODEL_NOT_FOUND', { message, received: model, expected: names });
  }
  if ('error' in folder) throw folder.error;
  const wanted = version === undefined ? folder.versions[0] : folder.versions.find((file) => file.version === version);
  if (wanted === undefined) {
    const present = folder.versions.map((file) => file.version);
    const message = `The model ${model} has no version ${version ?? ''} in ${modelsDir}; it has: ${present.join(', ')}`;
    throw new AppError('VERSION_NOT_FOUND', { message, received: version, expected: present });
  }
  const tools = new FaceTools({ log: silent, pictureThreads: defaultPictureThreads() });
  const registry = openLocalRegistry({ openFace: createOpenFace({ tools, clock: systemClock, log: silent }) });
  try {
    // Members are as the policies of their models say, the model itself is the one version.
    const members = withMembers(await scanRepository(modelsDir, { ownName: modelName }), model);
    await registry.sync(members.filter(({ name }) => name !== model));
    const [failure] = await registry.syncModel({ ...folder, versions: [wanted] });
    if (failure !== undefined) throw failure;
    const served = registry.acquire(model);
    const infer = createInfer({ registry, clock: systemClock, timeoutMs, counters: new ServedCounters() });
    return await work({ infer, served }).finally(() => served.release());
  } finally {
    await registry.close();
    await tools[Symbol.asyncDispose]();
  }
}

/** The domains, with the one of the files of the version where none has its name, or it does not fit the version. */
export function withFoundDomain(domains: readonly AnyDomain[], { served }: LocalVersion): readonly AnyDomain[] {
  const found = modelFaceOf(served.face)?.domain;
  if (found === undefined) return domains;
  const others = domains.filter((domain) => domain.name !== found.name);
  const own = domains.find((domain) => domain.name === found.name);
  const isOwnHidden =
    own?.optional === true &&
    own.signature !== undefined &&
    signatureProblem(own.signature, served.predictor.signature) !== undefined;
  return own === undefined || isOwnHidden ? [...others, found] : domains;
}
