import type { AppError } from '../../errors.ts';
import type { Engine } from '../../inference/engine.ts';
import type { Predictor } from '../../inference/predictor.ts';
import type { Manifest } from '../manifest.ts';
import type { Routing, RoutingReason } from '../traffic/choose-arm.ts';
import type { ShadowSettings } from '../traffic/traffic-settings.ts';
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
  /** Why it is this version; undefined where the request names it, or there is no choice. */
  readonly routed?: RoutingReason | undefined;
  /** The version that gets a copy of what this one answers; undefined where none is to. */
  readonly shadow?: ShadowSettings | undefined;
  release(): void;
}

/** A member as it is now; it is not held. */
export interface MemberVersion {
  readonly name: string;
  readonly version: string;
  readonly manifest: Manifest;
  /** Undefined while it is not loaded. */
  readonly predictor: Predictor | undefined;
  /** Why it is not ready; undefined if it is. */
  readonly reason: string | undefined;
  /** Why it could not be loaded; undefined unless that is so. */
  readonly error: AppError | undefined;
  /** Undefined where it is not made of other models. */
  readonly binding: BoundMembers | undefined;
  /** Says what answers, on whichever server it is loaded; undefined where that cannot be told. */
  readonly identify: (() => Promise<string | undefined>) | undefined;
}

/** What a member stands on itself. */
export interface BoundMembers {
  readonly members: readonly { readonly name: string; readonly version: string }[];
  readonly depth: number;
  readonly generation: number;
  readonly readsRequest: boolean;
}

/** The models that a version is made of. */
export interface Members {
  /**
   * The version that a name and a selector mean now; undefined while none of them is loaded.
   *
   * @param selector a version, or one of the `versionLabels` of the model; without it, the version that answers
   */
  find(name: string, selector?: string): MemberVersion | undefined;
  /**
   * Holds a member in memory until the lease is released: the version asked for, else the one that answers.
   *
   * @param routing what the one that answers is chosen by. @default it is the highest that can answer
   * @throws AppError `MODEL_NOT_READY` that names the member, also when there is no such model: the client asked for another
   */
  lease(name: string, version?: string, routing?: Routing): Lease;
  /** Versions among which the requests of a model are split, as far as they can answer; none where they are not split. */
  arms(name: string): readonly string[];
}
