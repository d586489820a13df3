import type { Engine } from '../../inference/engine.ts';
import type { Predictor } from '../../inference/predictor.ts';
import type { Manifest } from '../manifest.ts';
import type { VersionFace } from '../version-face.ts';

/** A version that is promised to stay loaded until the lease is released. */
export interface Lease {
  readonly name: string;
  readonly version: string;
  readonly manifest: Manifest;
  readonly predictor: Predictor;
  /** Undefined for a predictor without runners. */
  readonly engine: Engine | undefined;
  /** Undefined where the version takes tensors alone. */
  readonly face: VersionFace | undefined;
  release(): void;
}

/** The models that a version is made of. */
export interface Members {
  /**
   * Holds a member in memory until the lease is released: the version asked for, else the one that answers.
   *
   * @throws AppError `MODEL_NOT_READY` that names the member, also when there is no such model: the client asked for another
   */
  lease(name: string, version?: string): Lease;
}
