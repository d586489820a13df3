/** A part of a text, in code points. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly probability: number;
}

/** Keeps the most probable spans of many; of one span that comes several times, the most probable. */
export class BestSpans {
  readonly #most: number;
  /** Most probable first. */
  readonly #spans: Span[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get spans(): readonly Span[] {
    return this.#spans;
  }

  /** Whether a span of that probability could be among the best. */
  wants(probability: number): boolean {
    if (this.#spans.length < this.#most) return Number.isFinite(probability);
    return probability > (this.#spans.at(-1)?.probability ?? 0);
  }

  offer(span: Span): void {
    if (!this.wants(span.probability)) return;
    const same = this.#spans.findIndex(({ start, end }) => start === span.start && end === span.end);
    if (same >= 0) {
      if ((this.#spans[same]?.probability ?? 0) >= span.probability) return;
      this.#spans.splice(same, 1);
    }
    const better = this.#spans.findIndex(({ probability }) => probability < span.probability);
    this.#spans.splice(better < 0 ? this.#spans.length : better, 0, span);
    if (this.#spans.length > this.#most) this.#spans.pop();
  }
}
