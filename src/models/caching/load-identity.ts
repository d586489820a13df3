import type { Predictor } from '../../inference/predictor.ts';
import type { Members, MemberVersion } from '../registry/lease.ts';

/** Tells loads of versions apart: a version that is loaded anew is another one, also under the same number. */
export class LoadIdentities {
  readonly #numbers = new WeakMap<Predictor, number>();
  #loads = 0;

  /**
   * What answers now: the load, and for what is made of other models the loads of its members.
   *
   * @param predictor that of the version itself
   * @returns undefined while equal inputs may have other answers, or a member is not loaded
   */
  of(predictor: Predictor, binding: MemberVersion['binding'], members: Members): string | undefined {
    const own = this.#numberOf(predictor);
    if (binding === undefined) return `${own}`;
    if (binding.readsRequest) return undefined;
    const parts: string[] = [];
    for (const { name, version } of binding.members) {
      const member = members.find(name, version);
      const part = member?.predictor && this.of(member.predictor, member.binding, members);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return `${own}.${binding.generation}(${parts.join()})`;
  }

  #numberOf(predictor: Predictor): number {
    const known = this.#numbers.get(predictor);
    if (known !== undefined) return known;
    this.#loads += 1;
    this.#numbers.set(predictor, this.#loads);
    return this.#loads;
  }
}
