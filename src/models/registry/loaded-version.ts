import { AppError, hideFolders } from '../../errors.ts';
import type { Engine } from '../../inference/engine.ts';
import type { Predictor } from '../../inference/predictor.ts';
import type { RemoteReport } from '../../inference/remote/remote-events.ts';
import type { Assembled, Binding, VersionCache } from '../assembled.ts';
import { isElsewhere } from '../elsewhere.ts';
import type { Manifest } from '../manifest.ts';
import type { RoutingReason } from '../traffic/choose-arm.ts';
import type { ShadowSettings } from '../traffic/traffic-settings.ts';
import type { FaceReport, VersionFace } from '../version-face.ts';
import type { Lease } from './lease.ts';

/** States of a version, named as in the model repository extension of the Open Inference Protocol. */
export type VersionState = 'LOADING' | 'READY' | 'UNLOADING' | 'UNAVAILABLE';

/** One version of a model in memory, from the beginning of its load to the end of its last lease. */
export class LoadedVersion {
  readonly name: string;
  readonly version: string;
  readonly fingerprint: string;
  /** What it is made of, such as `onnx`. */
  readonly kind: string;
  /** Whether everything else goes before its runners, which cannot be taken back. */
  readonly isBackground: boolean;
  #manifest: Manifest;
  #phase: 'loading' | 'loaded' | 'unloading' | 'unloaded' | 'failed' = 'loading';
  #assembled: Assembled | undefined;
  #error: AppError | undefined;
  #failedReplacement: AppError | undefined;
  #loadMs: number | undefined;
  #leases = 0;
  readonly #drained = Promise.withResolvers<void>();

  constructor(
    identity: Pick<LoadedVersion, 'name' | 'version' | 'kind' | 'manifest' | 'fingerprint'> &
      Partial<Pick<LoadedVersion, 'isBackground'>>,
  ) {
    this.name = identity.name;
    this.version = identity.version;
    this.#manifest = identity.manifest;
    this.fingerprint = identity.fingerprint;
    this.kind = identity.kind;
    this.isBackground = identity.isBackground ?? false;
  }

  /** What the operator says of the model, with the class names that its files have. */
  get manifest(): Manifest {
    return this.#manifest;
  }

  succeed(assembled: Assembled, loadMs: number): void {
    this.#phase = 'loaded';
    if (assembled.labels !== undefined) {
      this.#manifest = { ...this.#manifest, labels: { ...assembled.labels, ...this.#manifest.labels } };
    }
    this.#assembled = assembled;
    this.#loadMs = loadMs;
  }

  fail(error: AppError): void {
    this.#phase = 'failed';
    this.#error = error;
  }

  /** Its files were changed, and what they are now could not be loaded in its place. */
  keepInPlaceOf(error: AppError): void {
    this.#failedReplacement = error;
  }

  /** Why what its files are now could not be loaded; undefined if it is what they are. */
  get failedReplacement(): AppError | undefined {
    return this.#failedReplacement;
  }

  /** What answers for the version; undefined while it loads, after it failed, and once it unloads. */
  get predictor(): Predictor | undefined {
    return this.#phase === 'loaded' ? this.#assembled?.predictor : undefined;
  }

  /** The runners behind the predictor; undefined where there are none. */
  get engine(): Engine | undefined {
    return this.#phase === 'loaded' ? this.#assembled?.engine : undefined;
  }

  /** The versions of other models that it stands on; undefined where it stands on none, and while it is not loaded. */
  get binding(): Binding | undefined {
    return this.#phase === 'loaded' ? this.#assembled?.binding : undefined;
  }

  /** The servers that it is on; undefined where it is on none, and while it is not loaded. */
  get remote(): RemoteReport | undefined {
    return this.#phase === 'loaded' ? this.#assembled?.remote?.() : undefined;
  }

  /** The answers that are kept of it; undefined where none are, and while it is not loaded. */
  get cache(): VersionCache | undefined {
    return this.#phase === 'loaded' ? this.#assembled?.cache : undefined;
  }

  /** Says what answers, on whichever server it is loaded; undefined where that cannot be told, and while it is not loaded. */
  get identify(): Assembled['identify'] {
    return this.#phase === 'loaded' ? this.#assembled?.identify : undefined;
  }

  /** How clients use it that send no tensors; undefined where there is no such way, and while it is not loaded. */
  get face(): VersionFace | undefined {
    const report = this.faceReport;
    return report?.state === 'ready' ? report.face : undefined;
  }

  /** What was found of a face; undefined where none was looked for, and while the version is not loaded. */
  get faceReport(): FaceReport | undefined {
    return this.#phase === 'loaded' ? this.#assembled?.face : undefined;
  }

  /** How long loading and warming up took, in milliseconds. */
  get loadMs(): number | undefined {
    return this.#loadMs;
  }

  get state(): VersionState {
    if (this.#phase === 'loading') return 'LOADING';
    if (this.#phase === 'unloading') return 'UNLOADING';
    return this.predictor?.health.ready === true ? 'READY' : 'UNAVAILABLE';
  }

  /** Why the version is not ready; undefined if it is. */
  get reason(): string | undefined {
    if (this.#phase === 'loading') return 'the model is loading';
    if (this.#phase === 'unloading') return 'the model is being unloaded';
    if (this.#phase === 'unloaded') return 'unloaded';
    if (this.#phase === 'failed') return this.#error?.message;
    const health = this.predictor?.health;
    return health === undefined || health.ready ? undefined : hideFolders(health.reason);
  }

  /** Why the version could not be loaded; undefined unless that is so. */
  get error(): AppError | undefined {
    return this.#error;
  }

  /** Whether the version is not ready, and only another server is at fault or waited for. */
  get isDownElsewhere(): boolean {
    if (this.#phase === 'failed') return isElsewhere(this.#error);
    // Its load waits for another server.
    if (this.#phase === 'loading') return this.kind === 'remote';
    const health = this.predictor?.health;
    return health?.ready === false && health.elsewhere === true;
  }

  /**
   * @param routed why it is this version
   * @param shadow what is to get a copy of the request
   * @throws AppError `MODEL_NOT_READY` with the reason
   */
  acquire(routed?: RoutingReason, shadow?: ShadowSettings): Lease {
    const { predictor, engine } = this;
    if (predictor === undefined) {
      throw new AppError('MODEL_NOT_READY', {
        message: `Version ${this.version} of the model ${this.name} is not ready: ${this.reason}`,
        retryAfterSeconds: 1,
        cause: this.#error,
      });
    }
    this.#leases += 1;
    let released = false;
    return {
      name: this.name,
      version: this.version,
      manifest: this.manifest,
      predictor,
      engine,
      face: this.face,
      routed,
      shadow,
      release: () => {
        if (released) return;
        released = true;
        this.#leases -= 1;
        this.#settleIfDrained();
      },
    };
  }

  /** Gives no more leases; closes the predictor when the last one has been returned. */
  async unload(): Promise<void> {
    if (this.#phase !== 'loaded') return;
    this.#phase = 'unloading';
    this.#settleIfDrained();
    await this.#drained.promise;
    await this.#assembled?.predictor.close();
    const face = this.#assembled?.face;
    if (face?.state === 'ready') await face.face.close?.();
    await this.#assembled?.release?.();
    this.#assembled = undefined;
    this.#phase = 'unloaded';
  }

  #settleIfDrained(): void {
    if (this.#phase === 'unloading' && this.#leases === 0) this.#drained.resolve();
  }
}
