import { readFile } from 'node:fs/promises';
import { AppError } from '../errors.ts';
import type { Engine } from '../inference/engine.ts';
import type { ModelOptions } from '../inference/model-options.ts';
import type { Predictor } from '../inference/predictor.ts';
import { canGuardCode, codeRunner } from '../inference/runner/code/spawn-code-runner.ts';
import type { SpawnRunner } from '../inference/runner/spawn-runner.ts';
import type { CodeArtifact } from './artifact.ts';
import { openAskedFace } from './asked-face.ts';
import type { Assembled, VersionToAssemble } from './assembled.ts';
import { modelOptions } from './model-options.ts';
import type { OpenFace } from './version-face.ts';

export interface CodeDependencies {
  /** The signal ends the load; `spawn` starts runners of another kind than usual. */
  readonly loadModel: (options: ModelOptions, signal?: AbortSignal, spawn?: SpawnRunner) => Promise<Predictor & Engine>;
  /** @default no version has a face */
  readonly openFace?: OpenFace | undefined;
  /** Whether versions of own code may be loaded. @default false */
  readonly allowCodeModels?: boolean | undefined;
}

/** Memory of a runner with own code, where model.json says nothing of it. */
const usualMemoryMb = 256;
/** What Node.js takes beside the objects of the code. */
const programMb = 128;

/**
 * Loads a version that is own code, in runner processes that have no rights but to read its folder.
 *
 * @throws AppError `CODE_MODELS_DISABLED`, `MODEL_LOAD_FAILED`, `FACE_INVALID`
 */
export async function assembleCode(
  { name, manifest, artifact, signal }: VersionToAssemble<CodeArtifact>,
  { loadModel, openFace, allowCodeModels = false }: CodeDependencies,
): Promise<Assembled> {
  refuseCode(allowCodeModels);
  const { version, path, text, root, folders } = artifact;
  const check = async () => {
    if ((await readFile(path, 'utf8')) === text) return;
    throw new AppError('MODEL_LOAD_FAILED', { message: 'model.ts has changed since the model was loaded' });
  };
  const { memoryLimitMb = usualMemoryMb } = manifest;
  const source = { path, unservable: [], readIntoMemory: [], check };
  const options = modelOptions({ name, version }, source, { ...manifest, memoryLimitMb: memoryLimitMb + programMb });
  const session = { ...options.session, intraOpThreads: 1 };
  const model = await loadModel(
    { ...options, session, isCode: true },
    signal,
    codeRunner({ path, heapMb: memoryLimitMb }),
  );
  const { example } = model;
  const material = { name, version, manifest, graphLabels: {}, root, folders, predictor: model, example };
  try {
    const face = await openAskedFace(openFace, material, signal);
    return { predictor: model, engine: model, ...(face !== undefined && { face }) };
  } catch (thrown) {
    await model.close();
    throw thrown;
  }
}

function refuseCode(isAllowed: boolean): void {
  if (!isAllowed) {
    throw new AppError('CODE_MODELS_DISABLED', {
      message:
        'The model is own code, model.ts, and ALLOW_CODE_MODELS is not set: the server would run whatever it says',
      expected: 'ALLOW_CODE_MODELS=1',
    });
  }
  if (canGuardCode()) return;
  throw new AppError('CODE_MODELS_DISABLED', {
    message: `Node.js ${process.versions.node} cannot keep own code from the network; expected 25 or newer`,
    received: process.versions.node,
  });
}
