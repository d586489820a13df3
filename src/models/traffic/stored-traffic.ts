import type { MemberSelection } from '../artifact.ts';
import type { SplitSettings } from './traffic-settings.ts';

/**
 * Splits of the traffic that go before those of `model.json`, by model. They are remembered while their model is not there,
 * and hold again when it is.
 */
export class StoredTraffic {
  readonly #splits = new Map<string, SplitSettings>();
  /** Versions that are loaded for a split that is to be. */
  readonly #expected = new Map<string, ReadonlySet<string>>();

  get(model: string): SplitSettings | undefined {
    return this.#splits.get(model);
  }

  set(model: string, settings: SplitSettings | undefined): void {
    if (settings === undefined) this.#splits.delete(model);
    else this.#splits.set(model, settings);
  }

  /** Versions to load beside those that the split names: those of a split that is to be; none ends that. */
  expect(model: string, versions: readonly string[]): void {
    if (versions.length === 0) this.#expected.delete(model);
    else this.#expected.set(model, new Set(versions));
  }

  /** Versions that are loaded beside those that the policy of the model selects. */
  versions(model: string): ReadonlySet<string> {
    return new Set([...Object.keys(this.get(model)?.split ?? {}), ...(this.#expected.get(model) ?? [])]);
  }

  /** The same of every model that has some. */
  selections(): readonly MemberSelection[] {
    const models = new Set([...this.#splits.keys(), ...this.#expected.keys()]);
    return [...models].flatMap((name) => [...this.versions(name)].map((selector) => ({ name, selector })));
  }
}
