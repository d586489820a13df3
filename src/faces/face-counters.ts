/** Counts what faces of texts have given to models. */
export class FaceCounters {
  readonly #models = new Map<string, { real: number; padding: number; truncated: number }>();

  recordTokens(model: string, { real, padding }: { readonly real: number; readonly padding: number }): void {
    const counts = this.#of(model);
    counts.real += real;
    counts.padding += padding;
  }

  recordTruncated(model: string, texts: number): void {
    this.#of(model).truncated += texts;
  }

  /** By model; those of models that are gone stay. */
  models(): Iterable<readonly [model: string, counts: Readonly<Record<'real' | 'padding' | 'truncated', number>>]> {
    return this.#models;
  }

  #of(model: string) {
    const counts = this.#models.get(model) ?? { real: 0, padding: 0, truncated: 0 };
    this.#models.set(model, counts);
    return counts;
  }
}
