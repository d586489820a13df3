/** Ends its members at the same time, as what takes requests must refuse new ones everywhere at once. */
export class DisposalGroup implements AsyncDisposable {
  readonly #ends: (() => unknown)[] = [];

  /** @param end may give a promise, which is awaited */
  defer(end: () => unknown): void {
    this.#ends.push(end);
  }

  /** @throws what the one member throws, or AggregateError with what several throw, after every member has ended */
  async [Symbol.asyncDispose](): Promise<void> {
    const outcomes = await Promise.allSettled(this.#ends.map(async (end) => end()));
    const errors = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }): unknown => reason);
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} of ${outcomes.length} ends failed`);
  }
}

/**
 * The errors that a disposal of a stack threw, in the order of the steps. A stack throws the error of its last step, with
 * those of the steps before inside.
 */
export function disposalErrors(thrown: unknown): readonly unknown[] {
  if (thrown instanceof SuppressedError) {
    return [...disposalErrors(thrown.suppressed), ...disposalErrors(thrown.error)];
  }
  return thrown instanceof AggregateError ? thrown.errors.flatMap(disposalErrors) : [thrown];
}
