import { AppError, toAppError } from '../errors.ts';
import type { FaceSettings } from '../models/face-settings/face-settings.ts';
import type { FaceMaterial, FaceReport, OpenFace } from '../models/version-face.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import { untilAborted } from '../timing/until-aborted.ts';
import { readCompanions } from './companions.ts';
import { embeddingKind } from './embedding/embedding-kind.ts';
import { invalidFace } from './face-faults.ts';
import type { CreatedFace, FaceKind, FaceSource } from './face-kind.ts';
import type { FaceTools } from './face-tools.ts';
import { imageClassificationKind } from './image-classification/image-classification-kind.ts';
import { ModelFace } from './model-face.ts';
import { objectDetectionKind } from './object-detection/object-detection-kind.ts';
import { proveFace } from './prove-face.ts';
import { questionAnsweringKind } from './question-answering/question-answering-kind.ts';
import { rerankingKind } from './reranking/reranking-kind.ts';
import { tableKind } from './table/table-kind.ts';
import { textClassificationKind } from './text-classification/text-classification-kind.ts';
import { tokenClassificationKind } from './token-classification/token-classification-kind.ts';

export interface OpenFaceDependencies {
  readonly tools: FaceTools;
  readonly clock: Pick<Clock, 'now' | 'setTimer'>;
  readonly log: Pick<Log, 'warn'>;
}

/** Every kind of face there is. */
function faceKinds(): readonly FaceKind[] {
  return [
    tableKind,
    imageClassificationKind,
    objectDetectionKind,
    textClassificationKind,
    tokenClassificationKind,
    questionAnsweringKind,
    embeddingKind,
    rerankingKind,
  ];
}

/** Finds the face of a version by its files, makes it, and runs its example before the version serves. */
export function createOpenFace({ tools, clock, log }: OpenFaceDependencies): OpenFace {
  const kinds = faceKinds();
  return async (material, stopped) => {
    const { face: settings, loadTimeoutMs } = material.manifest;
    if (settings === false) return { state: 'none', why: 'model.json has "face": false' };
    const late = new AbortController();
    const cancelTimer = clock.setTimer(loadTimeoutMs, () => late.abort(tooLate(loadTimeoutMs)));
    const signal = stopped === undefined ? late.signal : AbortSignal.any([stopped, late.signal]);
    try {
      const source: FaceSource = { material, companions: await readCompanions(material), settings, tools };
      const kind = settings === undefined ? await findKind(kinds, source, log) : kindOf(kinds, settings);
      if ('why' in kind) return { state: 'none', why: kind.why };
      const created = await createInTime(kind, source, signal);
      const face = new ModelFace(material.version, created);
      try {
        await untilAborted(proveFace(created, material, { clock, signal }), signal);
      } catch (thrown) {
        await created.close?.();
        throw thrown;
      }
      return { state: 'ready', face };
    } catch (thrown) {
      stopped?.throwIfAborted();
      return notReady(late.signal.aborted ? tooLate(loadTimeoutMs) : toAppError(thrown), material, log);
    } finally {
      cancelTimer();
    }
  };
}

/** @throws the reason of the signal; a face that is made behind it is closed */
async function createInTime(kind: FaceKind, source: FaceSource, signal: AbortSignal): Promise<CreatedFace> {
  const creating = Promise.resolve(kind.create(source, signal));
  try {
    return await untilAborted(creating, signal);
  } catch (thrown) {
    void creating.then((late) => late.close?.()).catch(() => undefined);
    throw thrown;
  }
}

function tooLate(loadTimeoutMs: number): AppError {
  return invalidFace([`it could not be made and tried within loadTimeoutMs, which is ${loadTimeoutMs} ms`]);
}

/** A face that nobody asked for must not take the tensors of a model away. */
function notReady(error: AppError, { name, version, manifest }: FaceMaterial, log: Pick<Log, 'warn'>): FaceReport {
  if (manifest.face !== undefined) {
    throw error.code === 'FACE_INVALID'
      ? new AppError('FACE_INVALID', {
          message: `The face is invalid: ${error.message}`,
          received: error.received,
          cause: error,
        })
      : error;
  }
  log.warn({ err: error, model: name, version }, 'The files beside the model make no typed face that works');
  return { state: 'invalid', why: error.message };
}

function kindOf(kinds: readonly FaceKind[], { kind }: FaceSettings): FaceKind {
  const found = kinds.find((candidate) => candidate.kind === kind);
  if (found !== undefined) return found;
  throw new AppError('FACE_INVALID', { message: `There is no kind of face ${JSON.stringify(kind)}`, received: kind });
}

async function findKind(
  kinds: readonly FaceKind[],
  source: FaceSource,
  log: Pick<Log, 'warn'>,
): Promise<FaceKind | { readonly why: string }> {
  const traces = await Promise.all(kinds.map(async (kind) => ({ kind, trace: await kind.find(source) })));
  const [first, second] = traces.filter(({ trace }) => trace === 'found');
  if (first !== undefined && second !== undefined) {
    const why = `its files are those of ${first.kind.kind} and of ${second.kind.kind}; say which by "face" in model.json`;
    log.warn({ model: source.material.name, version: source.material.version }, `The model has no typed face: ${why}`);
    return { why };
  }
  if (first !== undefined) return first.kind;
  const missing = traces.flatMap(({ trace }) => (typeof trace === 'object' ? [trace.missing] : []));
  return {
    why: missing.length > 0 ? missing.join('; ') : 'no file says how it is used, and its inputs are no columns',
  };
}
