/** Numbers by keys of several parts, which a file of the operator names. */
export class KeyedCounts {
  readonly #counts = new Map<string, { readonly key: readonly string[]; count: number }>();

  add(key: readonly string[], count: number): void {
    const id = key.join('\n');
    const found = this.#counts.get(id) ?? { key, count: 0 };
    this.#counts.set(id, found);
    found.count += count;
  }

  entries(): readonly { readonly key: readonly string[]; readonly count: number }[] {
    return [...this.#counts.values()];
  }
}
