import type { Predictor } from '../inference/predictor.ts';
import type { Tensors } from '../tensor/tensor.ts';
import type { Manifest } from './manifest.ts';

/** How clients use a version that send records, pictures or texts. What is behind it is known to those who made it. */
export interface VersionFace {
  /** Such as `table`. */
  readonly kind: string;
  /** Names of the columns of the one matrix that the model takes, in order. @default they have no names */
  readonly matrixColumns?: readonly string[] | undefined;
  /** Whether texts of unlike length share runs, and why. @default not said */
  readonly padding?: { readonly joined: boolean; readonly why: string } | undefined;
  /** Whether clients of the face of the version before can use this one. @default they can */
  readonly canFollow?: (before: VersionFace) => boolean;
  /** Releases what only this face needs. @default nothing */
  readonly close?: () => Promise<void>;
}

/** What was found of a face. `invalid`: its files or settings are at fault, and the version is served without. */
export type FaceReport =
  | { readonly state: 'ready'; readonly face: VersionFace }
  | { readonly state: 'none' | 'invalid'; readonly why: string };

/** What a face can be made of. */
export interface FaceMaterial {
  readonly name: string;
  readonly version: string;
  /** With the labels of the files. */
  readonly manifest: Manifest;
  /**
   * Class names by output that the graph itself has, whatever the manifest says: of probabilities, and what the values of
   * outputs that are labels are called.
   */
  readonly graphLabels: Manifest['labels'];
  /** `metadata_props` of the graph. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The repository, which every file must be in. */
  readonly root: string;
  /** Where the files beside the graph lie: the first that has one holds. */
  readonly folders: readonly string[];
  /** Loaded and warm. */
  readonly predictor: Predictor;
  /** A request that the model has taken. */
  readonly example: Tensors | undefined;
}

/**
 * Finds out whether a version has a face, makes it and tries it.
 *
 * @throws AppError `FACE_INVALID` for a face that `model.json` asks for and that is at fault; the reason of the signal
 */
export type OpenFace = (material: FaceMaterial, signal?: AbortSignal) => Promise<FaceReport>;
