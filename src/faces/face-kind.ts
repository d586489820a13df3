import type { AnyDomain } from '../domains/define-domain.ts';
import type { FaceSettings } from '../models/face-settings/face-settings.ts';
import type { FaceMaterial } from '../models/version-face.ts';
import type { Companions } from './companions.ts';

/** What a face of a kind is made of. */
export interface FaceSource<Kind extends FaceSettings['kind'] = FaceSettings['kind']> {
  readonly material: FaceMaterial;
  /** The files beside the graph. */
  readonly companions: Companions;
  /** What `model.json` says; undefined where it says nothing. */
  readonly settings: Extract<FaceSettings, { kind: Kind }> | undefined;
}

/** What the files of a version say of a kind of face: that it is one, or what is missing; undefined: nothing. */
export type FaceTrace = 'found' | { readonly missing: string } | undefined;

/** A kind of face; each has a folder of its own. */
export interface FaceKind<Kind extends FaceSettings['kind'] = FaceSettings['kind']> {
  readonly kind: Kind;
  /** What is there without a word of `model.json`. */
  find(source: FaceSource<Kind>): FaceTrace;
  /** @throws AppError `FACE_INVALID` with every fault */
  create(source: FaceSource<Kind>, signal: AbortSignal | undefined): Promise<CreatedFace> | CreatedFace;
}

export interface CreatedFace {
  readonly domain: AnyDomain;
  /** The whole face as `model.json` would say it. */
  readonly settings: Readonly<Record<string, unknown>> & { readonly kind: string };
  readonly close?: () => Promise<void>;
}
