/**
 * The end of the turn of the event loop that is under way, when everything that has come meanwhile has been read. Answers
 * that leave together then wake their clients once; each by itself costs a processor more than a small run does.
 */
export class EndOfTurn {
  #end: Promise<void> | undefined;

  /** The same promise for all who ask in one turn. */
  wait(): Promise<void> {
    this.#end ??= new Promise((resolve) =>
      setImmediate(() => {
        this.#end = undefined;
        resolve();
      }),
    );
    return this.#end;
  }
}
