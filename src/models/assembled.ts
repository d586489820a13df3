import type { AppError } from '../errors.ts';
import type { Engine } from '../inference/engine.ts';
import type { Predictor } from '../inference/predictor.ts';
import type { RemoteReport } from '../inference/remote/remote-events.ts';
import type { Artifact, VersionArtifact } from './artifact.ts';
import type { Manifest } from './manifest.ts';
import type { Members } from './registry/lease.ts';
import type { FaceReport } from './version-face.ts';

/** A version that is to be loaded. */
export interface VersionToAssemble<Kind extends VersionArtifact = Artifact> {
  readonly name: string;
  readonly manifest: Manifest;
  readonly artifact: Kind;
  /** Whether everything else goes before what it runs. @default false */
  readonly isBackground?: boolean;
  /** Ends the load. @default never */
  readonly signal?: AbortSignal;
}

/** What answers for a version. */
export interface Assembled {
  readonly predictor: Predictor;
  /** Undefined for a predictor without runners. */
  readonly engine?: Engine;
  /** Class names by output that the files of the version have; those of its manifest go before them. @default none */
  readonly labels?: Manifest['labels'];
  /** What was found of a face. @default none was looked for */
  readonly face?: FaceReport;
  /** The versions of other models that it stands on. @default none; what is made of models is then loaded anew with each of them */
  readonly binding?: Binding;
  /** The servers that it is on, as they are now. @default it is on none */
  readonly remote?: () => RemoteReport;
  /** What the predictor keeps of its answers. @default nothing */
  readonly cache?: VersionCache;
  /** Says what answers, on whichever server it is loaded; undefined where that cannot be told. It reads files. @default it cannot */
  readonly identify?: () => Promise<string | undefined>;
  /** Releases what the version was loaded from; to be called when the predictor has closed. */
  readonly release?: () => Promise<void>;
}

/** The answers that are kept of a version. */
export interface VersionCache {
  /** Entries and their bytes now; hits and misses since the version was loaded. */
  readonly figures: {
    readonly entries: number;
    readonly bytes: number;
    readonly hits: number;
    readonly misses: number;
  };
  /** Forgets all of them. @returns how many there were */
  clear(): Promise<{ readonly entries: number; readonly shared: number }>;
}

/** The versions of other models that a version stands on. They stay loaded for as long as it does. */
export interface Binding {
  readonly members: readonly BoundVersion[];
  /** One more than that of its deepest member; 1 where no member stands on others. */
  readonly depth: number;
  /** Grows whenever it is bound anew. */
  readonly generation: number;
  /** Whether equal inputs may have other answers, since a rule reads headers, the key or the time. */
  readonly readsRequest: boolean;
  /** Why it is not bound to what its members are now; undefined if it is. */
  readonly stale: AppError | undefined;
  /** What the version does, each step after those that it needs. */
  readonly steps: readonly BoundStep[];
  /** Where each output comes from, as `step.tensor`. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Whether what the version took over from its members when it was loaded is something else now: it is to be loaded anew. */
  readonly isOutdated: boolean;
  /** Looks at the members again, and is bound to what they are now if that fits. */
  follow(): void;
}

export interface BoundVersion {
  readonly name: string;
  readonly version: string;
}

/** A step, and what it may ask. */
export interface BoundStep {
  readonly name: string;
  readonly kind: 'model' | 'switch' | 'combine';
  /** For a switch those of its arms, and of what is asked in their place. */
  readonly members: readonly BoundVersion[];
  /** Names of the steps that it reads from; `input` where it reads the request. */
  readonly needs: readonly string[];
  /** Where each input comes from, as `step.tensor` or `input.name`; none for steps without a model of their own. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Names of the tensors that it gives. */
  readonly outputs: readonly string[];
}

/** @throws AppError `MODEL_LOAD_FAILED`, or `MODEL_NOT_READY` when a member is not */
export type Assemble<Kind extends VersionArtifact = Artifact> = (
  version: VersionToAssemble<Kind>,
  members: Members,
) => Promise<Assembled>;
