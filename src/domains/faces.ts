import type { Signature, TensorSpec } from '../tensor/tensor.ts';
import type { Log } from '../timing/log.ts';
import type { AnyDomain } from './define-domain.ts';

/** What is loaded, as far as faces need to know. */
export interface FaceModels {
  find(
    name: string,
  ): { readonly served: { readonly predictor: { readonly signature: Signature } | undefined } | undefined } | undefined;
}

/** Which domains are served: models come and go while the server runs, and routes cannot. */
export class Faces {
  readonly domains: readonly AnyDomain[];
  readonly #models: FaceModels;
  readonly #log: Pick<Log, 'info' | 'warn'>;
  readonly #found: () => readonly AnyDomain[];
  /** What was found wrong with a signature that a model has. */
  readonly #compared = new Map<AnyDomain, { readonly signature: Signature; readonly problem: string | undefined }>();
  /** The problem of each domain at the last report; undefined before the first. */
  #reported: ReadonlyMap<string, string> | undefined;

  constructor(
    domains: readonly AnyDomain[],
    {
      models,
      log,
      found = () => [],
    }: {
      readonly models: FaceModels;
      readonly log: Pick<Log, 'info' | 'warn'>;
      /** The domains that were found in the files of models. @default none */
      readonly found?: () => readonly AnyDomain[];
    },
  ) {
    this.domains = domains;
    this.#models = models;
    this.#log = log;
    this.#found = found;
  }

  /** The domains whose routes are there, also those of the files of models: an optional one is left out while it has a problem. */
  served(): readonly AnyDomain[] {
    return [...this.domains.filter((domain) => this.hiddenBecause(domain) === undefined), ...this.#found()];
  }

  /** The domain of that name, whether its routes are there or not; one that is found in files where they are not. */
  named(name: string): AnyDomain | undefined {
    return [...this.served(), ...this.domains].find((domain) => domain.name === name);
  }

  /** Whether the name is that of a domain whose routes are there: no model that is called so has others. */
  hasOwn(name: string): boolean {
    return this.domains.some((domain) => domain.name === name && this.hiddenBecause(domain) === undefined);
  }

  /** Why the routes of the domain are not there; undefined when they are. */
  hiddenBecause(domain: AnyDomain): string | undefined {
    return domain.optional === true ? this.#problemOf(domain) : undefined;
  }

  /** The domain whose route the path is that of, also when it is not there. */
  find(path: string): AnyDomain | undefined {
    const name = /^\/([^/?]+)\//.exec(path)?.[1];
    return name === undefined ? undefined : this.domains.find((candidate) => candidate.name === name);
  }

  /** Whether the path is that of a route that is not there. */
  hides(path: string): boolean {
    const domain = this.find(path);
    return domain !== undefined && this.hiddenBecause(domain) !== undefined;
  }

  /** What keeps domains that the server needs from being served. */
  problems(): readonly { readonly model: string; readonly reason: string }[] {
    return this.domains.flatMap((domain) => {
      const problem = domain.optional === true ? undefined : this.#problemOf(domain);
      return problem === undefined ? [] : [{ model: domain.model, reason: `domain ${domain.name}: ${problem}` }];
    });
  }

  /** Logs which domains are not served and why, each once until that changes. */
  report(): void {
    const before = this.#reported;
    const now = new Map(
      this.domains.flatMap((domain): [string, string][] => {
        const problem = this.#problemOf(domain);
        return problem === undefined ? [] : [[domain.name, problem]];
      }),
    );
    this.#reported = now;
    const added = this.domains.filter(({ name }) => now.has(name) && now.get(name) !== before?.get(name));
    const tell = (domains: readonly AnyDomain[]) => domains.map(({ name }) => `${name} (${now.get(name)})`).join(', ');
    const hidden = added.filter(({ optional }) => optional === true);
    const needed = added.filter(({ optional }) => optional !== true);
    if (hidden.length > 0)
      this.#log.info({}, `Domains without routes, since their models are missing or do not fit: ${tell(hidden)}`);
    if (needed.length > 0) this.#log.warn({}, `Domains that cannot be served: ${tell(needed)}`);
    const back = [...(before?.keys() ?? [])].filter((name) => !now.has(name));
    if (back.length > 0) this.#log.info({}, `Domains that are served now: ${back.join(', ')}`);
  }

  /** To be called when models come and go; says nothing before the first report. */
  modelsChanged(): void {
    if (this.#reported !== undefined) this.report();
  }

  /** A model that has not been loaded is taken for the right one: it answers for itself why it is not ready. */
  #problemOf(domain: AnyDomain): string | undefined {
    const model = this.#models.find(domain.model);
    if (model === undefined) return `there is no model ${domain.model}`;
    const signature = model.served?.predictor?.signature;
    if (signature === undefined || domain.signature === undefined) return undefined;
    const before = this.#compared.get(domain);
    if (before?.signature === signature) return before.problem;
    const problem = signatureProblem(domain.signature, signature);
    this.#compared.set(domain, { signature, problem });
    return problem;
  }
}

/** Why a model of another signature than the wanted one cannot serve; it may have more outputs. */
export function signatureProblem(wanted: Signature, given: Signature): string | undefined {
  const unknown = given.inputs.find(({ name }) => !wanted.inputs.some((input) => input.name === name));
  if (unknown !== undefined) return `its model takes the input ${specText(unknown)}, which the domain does not give`;
  return (
    firstProblem('takes no input', wanted.inputs, given.inputs) ??
    firstProblem('gives no output', wanted.outputs, given.outputs)
  );
}

function firstProblem(what: string, wanted: readonly TensorSpec[], given: readonly TensorSpec[]): string | undefined {
  const missing = wanted.find((spec) => !given.some((candidate) => fits(spec, candidate)));
  if (missing === undefined) return undefined;
  const others = given.map(specText).join(', ');
  return `its model ${what} ${specText(missing)}, but ${others}`;
}

/** An empty shape is of an unknown rank. */
function fits(wanted: TensorSpec, given: TensorSpec): boolean {
  if (wanted.name !== given.name || wanted.datatype !== given.datatype) return false;
  if (given.shape.length === 0 || wanted.shape.length === 0) return true;
  if (wanted.shape.length !== given.shape.length) return false;
  return wanted.shape.every((size, axis) => size === -1 || given.shape[axis] === -1 || size === given.shape[axis]);
}

function specText({ name, datatype, shape }: TensorSpec): string {
  return `${name} ${datatype} [${shape.join(',')}]`;
}
