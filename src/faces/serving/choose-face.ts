import { AppError } from '../../errors.ts';
import type { Routing } from '../../models/traffic/choose-arm.ts';
import type { LeasedFace, ModelFaces } from './model-faces.ts';

/** What a request may come to that names its model in the body, where such routes document it. */
export const faceOfKindErrorCodes = [
  'MALFORMED_JSON',
  'VALIDATION_FAILED',
  'FACE_NOT_FOUND',
  'ROUTE_NOT_FOUND',
  'QUEUE_FULL',
  'INTERNAL',
] as const;

/** Which face a request means that names its model in the body. */
export interface FaceChoice {
  readonly kind: string;
  /** Undefined: the only one that there is. */
  readonly model: string | undefined;
  /** Whether the caller may use a model. */
  readonly mayUse: (model: string) => boolean;
  /** What its version is chosen by. */
  readonly routing?: Routing;
}

/**
 * Holds the face of a kind that a request means.
 *
 * @throws AppError `ROUTE_NOT_FOUND` while no model that the caller may use has such a face, `FACE_NOT_FOUND` that names those that have
 */
export function leaseFaceOfKind(faces: ModelFaces, { kind, model, mayUse, routing }: FaceChoice): LeasedFace {
  const names = faces
    .ofKind(kind)
    .map(({ domain }) => domain.name)
    .filter(mayUse);
  // Callers are not told that others have one.
  if (names.length === 0) throw new AppError('ROUTE_NOT_FOUND', { message: `No model has a face of the kind ${kind}` });
  const name = model ?? (names.length === 1 ? names[0] : undefined);
  if (name !== undefined && names.includes(name)) return faces.lease(name, undefined, routing);
  const received = model === undefined ? 'no model' : JSON.stringify(model);
  throw new AppError('FACE_NOT_FOUND', {
    message: `model: received ${received}; those with a face of the kind ${kind} are: ${names.join(', ')}`,
    received: model,
    expected: names,
  });
}
