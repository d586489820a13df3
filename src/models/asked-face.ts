import type { FaceMaterial, FaceReport, OpenFace } from './version-face.ts';

/**
 * Opens the face of a version that is no ONNX file. Only one that its manifest asks for: files beside it say how the models
 * behind it are used, so nothing is made of them unasked.
 *
 * @returns undefined if the manifest asks for none, or no version has faces
 * @throws AppError `FACE_INVALID`; the reason of the signal
 */
export async function openAskedFace(
  openFace: OpenFace | undefined,
  material: Omit<FaceMaterial, 'metadata'>,
  signal: AbortSignal | undefined,
): Promise<FaceReport | undefined> {
  if (material.manifest.face === undefined) return undefined;
  return openFace?.({ ...material, metadata: new Map() }, signal);
}
