/** How often the rate of arrivals is measured anew. */
const windowMs = 100;

/**
 * Keeps at most so many rows a second, and does so fairly: above the bound every request has the same chance, however
 * the arrivals of a second are spread, instead of the first ones of each second. A burst after a quiet time is kept
 * up to the rows of one second.
 */
export class RateSampler {
  readonly #maxPerSecond: number;
  readonly #random: () => number;
  #tokens: number;
  #keptShare = 1;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #windowRows = 0;

  /** @param random from 0 to 1 */
  constructor(maxPerSecond: number, random: () => number = Math.random) {
    this.#maxPerSecond = maxPerSecond;
    this.#random = random;
    this.#tokens = maxPerSecond;
  }

  /**
   * Whether to keep the rows of a request. A request is kept whole or not at all; one that has more rows than are left
   * goes on account of the next seconds.
   *
   * @param nowMs milliseconds that never run backwards
   */
  take(rows: number, nowMs: number): boolean {
    if (nowMs - this.#windowStartMs >= windowMs) this.#openWindow(nowMs);
    this.#windowRows += rows;
    if (this.#tokens <= 0) return false;
    if (this.#keptShare < 1 && this.#random() >= this.#keptShare) return false;
    this.#tokens -= rows;
    return true;
  }

  #openWindow(nowMs: number): void {
    const elapsedSeconds = (nowMs - this.#windowStartMs) / 1000;
    const rowsPerSecond = this.#windowRows / elapsedSeconds;
    this.#keptShare = rowsPerSecond > this.#maxPerSecond ? this.#maxPerSecond / rowsPerSecond : 1;
    this.#tokens = Math.min(this.#maxPerSecond, this.#tokens + elapsedSeconds * this.#maxPerSecond);
    this.#windowStartMs = nowMs;
    this.#windowRows = 0;
  }
}
