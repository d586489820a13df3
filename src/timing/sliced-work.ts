/**
 * Work on one thing that may be large: a generator that yields wherever others may go on. It never yields on little, so
 * that {@link finish} costs little more than a call.
 */
export type SlicedWork<T> = Generator<undefined, T>;

/** Does it in one go. */
export function finish<T>(work: SlicedWork<T>): T {
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
}
