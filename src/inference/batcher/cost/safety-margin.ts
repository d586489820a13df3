const least = 0.1;
const most = 1;
/** Added when an admitted request misses its deadline. */
const step = 0.1;
/** Taken off when one is answered in time. */
const decay = 0.002;

/**
 * The share that is added to predicted times, since predictions err. It rises with every admitted request that misses its
 * deadline, and falls slowly again. Without it a stall under overload would last: the oldest requests are so urgent by then
 * that only small runs would save them, and small runs make the next ones late.
 */
export class SafetyMargin {
  #share = least;

  get share(): number {
    return this.#share;
  }

  wasLate(): void {
    this.#share = Math.min(most, this.#share + step);
  }

  wasInTime(): void {
    this.#share = Math.max(least, this.#share - decay);
  }
}
