/** Part of the calls that may be tried again. */
const share = 0.1;
/** Most retries that calls can have saved up: a server that goes away fails what is under way on it at once. */
const mostSaved = 10;

/** How many calls may be tried again: one in ten, and ten that were not needed before. So retries never make an overload. */
export class RetryBudget {
  #saved = mostSaved;

  recordCall(): void {
    this.#saved = Math.min(mostSaved, this.#saved + share);
  }

  /** Whether one more call may be tried again; it is counted then. */
  take(): boolean {
    if (this.#saved < 1) return false;
    this.#saved -= 1;
    return true;
  }
}
