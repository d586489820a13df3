import type { AnyDomain } from '../../domains/define-domain.ts';
import { isReservedName } from '../../domains/domain-names.ts';
import { AppError } from '../../errors.ts';
import type { Lease } from '../../models/registry/lease.ts';
import type { Registry } from '../../models/registry/registry.ts';
import type { Routing } from '../../models/traffic/choose-arm.ts';
import { type ModelFace, modelFaceOf } from '../model-face.ts';

/** A face whose version stays loaded until the lease is released. */
export interface LeasedFace {
  readonly face: ModelFace;
  readonly lease: Lease;
}

/** The faces of the models that are loaded. */
export class ModelFaces {
  readonly #registry: Pick<Registry, 'acquire' | 'list'>;
  readonly #isTaken: (name: string) => boolean;

  /** @param isTaken whether there is a domain of the name, which goes before a face. @default there is none */
  constructor(registry: Pick<Registry, 'acquire' | 'list'>, isTaken: (name: string) => boolean = () => false) {
    this.#registry = registry;
    this.#isTaken = isTaken;
  }

  /** The domains of the versions that answer where a request names none. */
  domains(): readonly AnyDomain[] {
    return this.served().map(({ domain }) => domain);
  }

  /** The faces of the versions that answer where a request names none. */
  served(): readonly ModelFace[] {
    return this.#registry.list().flatMap(({ name, served }): ModelFace[] => {
      if (!this.#mayHaveRoute(name)) return [];
      const face = modelFaceOf(served?.face);
      return face === undefined ? [] : [face];
    });
  }

  /** The faces of a kind that answer where a request names no version. */
  ofKind(kind: string): readonly ModelFace[] {
    return this.served().filter((face) => face.kind === kind);
  }

  /** Whether requests to the routes of that name have somewhere to go, also to a version that is not the first. */
  has(name: string): boolean {
    if (!this.#mayHaveRoute(name)) return false;
    const model = this.#registry.list().find((candidate) => candidate.name === name);
    return model?.versions.some(({ face }) => modelFaceOf(face) !== undefined) ?? false;
  }

  /**
   * Holds the version asked for, else the one that answers, with its face.
   *
   * @param routing what the one that answers is chosen by, where the requests of the model are split
   * @throws AppError `ROUTE_NOT_FOUND` that says why there is no face, `VERSION_NOT_FOUND`, `MODEL_NOT_READY`
   */
  lease(name: string, version?: string, routing?: Routing): LeasedFace {
    if (!this.#mayHaveRoute(name)) throw noRoute(name, 'the name is taken by other routes');
    const lease = this.#acquire(name, version, routing);
    const face = modelFaceOf(lease.face);
    if (face !== undefined) return { face, lease };
    lease.release();
    // An arm of tensors alone is none for those who send records.
    if (lease.routed !== undefined) return this.lease(name);
    throw noRoute(name, `the model ${name} has no typed face; POST /models/${name}/predict takes its tensors`);
  }

  #acquire(name: string, version: string | undefined, routing: Routing | undefined): Lease {
    try {
      return this.#registry.acquire(name, version, routing);
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'MODEL_NOT_FOUND') throw thrown;
      throw noRoute(name, thrown.message);
    }
  }

  #mayHaveRoute(name: string): boolean {
    return !isReservedName(name) && !this.#isTaken(name);
  }
}

function noRoute(name: string, why: string): AppError {
  return new AppError('ROUTE_NOT_FOUND', { message: `There is no typed route of the name ${name}: ${why}` });
}
