import type { Registry } from '../models/registry/registry.ts';

/** Why the server does not want traffic; an empty list means that it does. */
export interface Readiness {
  readonly ready: boolean;
  readonly problems: readonly { readonly model?: string; readonly version?: string; readonly reason: string }[];
}

export interface ReadinessOptions {
  /** False where models come later, on request. @default true */
  readonly needsModel?: boolean;
  /** What else keeps a server that needs models from being ready. @default nothing */
  readonly otherProblems?: () => Readiness['problems'];
}

/** Whether the server wants traffic, and why not. The lifespan says when it starts and when it drains. */
export class ReadinessGate {
  readonly #registry: Pick<Registry, 'list'>;
  readonly #needsModel: boolean;
  readonly #otherProblems: () => Readiness['problems'];
  #phase: 'starting' | 'serving' | 'draining' = 'starting';
  #startReason = 'the server is starting';

  constructor(registry: Pick<Registry, 'list'>, options: ReadinessOptions = {}) {
    const { needsModel = true, otherProblems = () => [] } = options;
    this.#registry = registry;
    this.#needsModel = needsModel;
    this.#otherProblems = otherProblems;
  }

  /** What the start is waiting for, in words. */
  explainStart(what: string): void {
    this.#startReason = `the server is starting: ${what}`;
  }

  /** Every model of the repository has been loaded, or has failed to. */
  serve(): void {
    if (this.#phase === 'starting') this.#phase = 'serving';
  }

  get serving(): boolean {
    return this.#phase === 'serving';
  }

  /** From now on no new traffic is wanted. */
  drain(): void {
    this.#phase = 'draining';
  }

  get draining(): boolean {
    return this.#phase === 'draining';
  }

  check(): Readiness {
    const problems = [...this.#phaseProblems(), ...this.#modelProblems()];
    return { ready: problems.length === 0, problems };
  }

  #phaseProblems() {
    if (this.#phase === 'draining') return [{ reason: 'the server is shutting down' }];
    if (this.#phase === 'starting') return [{ reason: this.#startReason }];
    if (!this.#needsModel) return [];
    return this.#registry.list().length === 0 ? [{ reason: 'no model is loaded' }] : this.#otherProblems();
  }

  /**
   * A model that cannot be served by any of its versions is a problem; an old version beside a broken new one is not, nor
   * one that is down because another server is: all instances of this one would leave the load balancer together.
   */
  #modelProblems() {
    return this.#registry.list().flatMap(({ name, versions, error }) => {
      if (versions.some((version) => version.state === 'READY')) return [];
      if (versions.length === 0) return [{ model: name, reason: error?.message ?? 'it has no version' }];
      return versions
        .filter(({ isDownElsewhere }) => !isDownElsewhere)
        .map(({ version, reason }) => ({ model: name, version, reason: reason ?? 'not ready' }));
    });
  }
}
