import { AppError, hideFolders } from '../errors.ts';
import type { LoadedModel } from '../inference/model.ts';
import type { Manifest } from './manifest.ts';

/** States of a version, named as in the model repository extension of the Open Inference Protocol. */
export type VersionState = 'LOADING' | 'READY' | 'UNLOADING' | 'UNAVAILABLE';

/** A version that is promised to stay loaded until the lease is released. */
export interface Lease {
  readonly name: string;
  readonly version: string;
  readonly manifest: Manifest;
  readonly model: LoadedModel;
  release(): void;
}

/** One version of a model in memory, from the beginning of its load to the end of its last lease. */
export class LoadedVersion {
  readonly name: string;
  readonly version: string;
  readonly manifest: Manifest;
  readonly fingerprint: string;
  #release: () => Promise<void> = async () => {};
  #phase: 'loading' | 'loaded' | 'unloading' | 'unloaded' | 'failed' = 'loading';
  #model: LoadedModel | undefined;
  #error: AppError | undefined;
  #failedReplacement: AppError | undefined;
  #loadMs: number | undefined;
  #leases = 0;
  readonly #drained = Promise.withResolvers<void>();

  constructor(identity: { name: string; version: string; manifest: Manifest; fingerprint: string }) {
    this.name = identity.name;
    this.version = identity.version;
    this.manifest = identity.manifest;
    this.fingerprint = identity.fingerprint;
  }

  /** @param release called when the runners have ended */
  succeed(model: LoadedModel, loadMs: number, release: () => Promise<void>): void {
    this.#release = release;
    this.#phase = 'loaded';
    this.#model = model;
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

  /** The loaded model; undefined while it loads, after it failed, and once it unloads. */
  get model(): LoadedModel | undefined {
    return this.#phase === 'loaded' ? this.#model : undefined;
  }

  /** How long loading and warming up took, in milliseconds. */
  get loadMs(): number | undefined {
    return this.#loadMs;
  }

  get state(): VersionState {
    if (this.#phase === 'loading') return 'LOADING';
    if (this.#phase === 'unloading') return 'UNLOADING';
    return this.#phase === 'loaded' && this.#model?.state().ready ? 'READY' : 'UNAVAILABLE';
  }

  /** Why the version is not ready; undefined if it is. */
  get reason(): string | undefined {
    if (this.#phase === 'loading') return 'the model is loading';
    if (this.#phase === 'unloading') return 'the model is being unloaded';
    if (this.#phase === 'unloaded') return 'unloaded';
    if (this.#phase === 'failed') return this.#error?.message;
    const state = this.#model?.state();
    return state === undefined || state.ready ? undefined : hideFolders(state.reason);
  }

  /** @throws AppError `MODEL_NOT_READY` with the reason */
  acquire(): Lease {
    const model = this.model;
    if (model === undefined) {
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
      model,
      release: () => {
        if (released) return;
        released = true;
        this.#leases -= 1;
        this.#settleIfDrained();
      },
    };
  }

  /** Gives no more leases; closes the runners when the last one has been returned. */
  async unload(): Promise<void> {
    if (this.#phase !== 'loaded') return;
    this.#phase = 'unloading';
    this.#settleIfDrained();
    await this.#drained.promise;
    await this.#model?.close();
    await this.#release();
    this.#model = undefined;
    this.#phase = 'unloaded';
  }

  #settleIfDrained(): void {
    if (this.#phase === 'unloading' && this.#leases === 0) this.#drained.resolve();
  }
}
