import type { z } from 'zod';
import type { AnyDomain } from '../domains/define-domain.ts';
import type { FaceSettings } from '../models/face-settings/face-settings.ts';
import type { FaceMaterial } from '../models/version-face.ts';
import type { Tensors } from '../tensor/tensor.ts';
import type { Companions } from './companions.ts';
import type { FaceTools } from './face-tools.ts';
import type { Padding } from './text-input/prove-padding.ts';

/** What a face of a kind is made of. */
export interface FaceSource<Kind extends FaceSettings['kind'] = FaceSettings['kind']> {
  readonly material: FaceMaterial;
  /** The files beside the graph. */
  readonly companions: Companions;
  /** What `model.json` says; undefined where it says nothing. */
  readonly settings: Extract<FaceSettings, { kind: Kind }> | undefined;
  readonly tools: FaceTools;
}

/** What the files of a version say of a kind of face: that it is one, or what is missing; undefined: nothing. */
export type FaceTrace = 'found' | { readonly missing: string } | undefined;

/** A kind of face; each has a folder of its own. */
export interface FaceKindDefinition<Kind extends FaceSettings['kind']> {
  readonly kind: Kind;
  /** What is there without a word of `model.json`. */
  find(source: FaceSource<Kind>): FaceTrace | Promise<FaceTrace>;
  /** @throws AppError `FACE_INVALID` with every fault */
  create(source: FaceSource<Kind>, signal: AbortSignal | undefined): Promise<CreatedFace> | CreatedFace;
}

/** A kind of face, whose settings are told from those of others where they are read. */
export interface FaceKind {
  readonly kind: FaceSettings['kind'];
  find(source: FaceSource): FaceTrace | Promise<FaceTrace>;
  create(source: FaceSource, signal: AbortSignal | undefined): Promise<CreatedFace> | CreatedFace;
}

export function defineFaceKind<Kind extends FaceSettings['kind']>(definition: FaceKindDefinition<Kind>): FaceKind {
  const { kind } = definition;
  const isOwn = (settings: FaceSettings): settings is Extract<FaceSettings, { kind: Kind }> => settings.kind === kind;
  const own = (source: FaceSource): FaceSource<Kind> => {
    const { settings } = source;
    return { ...source, settings: settings !== undefined && isOwn(settings) ? settings : undefined };
  };
  return {
    kind,
    find: (source) => definition.find(own(source)),
    create: (source, signal) => definition.create(own(source), signal),
  };
}

export interface CreatedFace {
  readonly domain: AnyDomain;
  /** The whole face as `model.json` would say it. */
  readonly settings: Readonly<Record<string, unknown>> & { readonly kind: string };
  /** Names of the columns of the one matrix that the model takes, in order. @default they have no names */
  readonly matrixColumns?: readonly string[] | undefined;
  /** Whether texts of unlike length share runs. @default not said */
  readonly padding?: Padding;
  /** What a request may say in its query, and the domain that keeps to it. @default nothing */
  readonly options?: FaceOptions;
  /**
   * Looks at the outputs that the model has given for the example. @default nothing is looked at
   *
   * @throws AppError `FACE_INVALID` that names the key of `model.json` to set
   */
  readonly check?: (outputs: Tensors) => void;
  readonly close?: () => Promise<void>;
}

/** What the query of a request changes of a face. */
export interface FaceOptions {
  /** Validates and documents the query; every member is optional. */
  readonly schema: z.ZodObject;
  /** @param values those of the schema */
  bind(values: Readonly<Record<string, unknown>>): AnyDomain;
  /** What a result shows of the options that it came by, for those who keep results and no queries. @default nothing */
  ofResult?(result: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}
