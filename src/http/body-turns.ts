/** From so many bytes on, what follows a body (parsing, checking, making tensors) can take a tenth of a millisecond and more. */
const largeFromBytes = 16 * 1024;

/**
 * Lets one large body go on in each turn of the event loop. The bodies of many clients come at once when a batch has
 * been answered; worked on in one go, they would keep every small request waiting for all of them.
 */
class BodyTurns {
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  take(bytes: number, work: () => void): void {
    if (bytes < largeFromBytes) work();
    else if (this.#isTaken) this.#waiting.push(work);
    else this.#begin(work);
  }

  #begin(work: () => void): void {
    this.#isTaken = true;
    setImmediate(() => {
      this.#isTaken = false;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#begin(next);
    });
    work();
  }
}

// All servers of a process share its event loop.
const turns = new BodyTurns();

/** Calls back with a body of so many bytes when it is its turn: at once unless it is large. */
export function takeBodyTurn(bytes: number, work: () => void): void {
  turns.take(bytes, work);
}
