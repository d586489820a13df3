import type { SlicedWork } from './sliced-work.ts';

/** From so many bytes on, what is done with a body (parsing, checking, making tensors) can take a tenth of a millisecond and more. */
const largeFromBytes = 16 * 1024;

/** How long one turn may take: what a small request may have to wait for. */
const sliceMs = 5;

// All servers of a process share its event loop.
const waiting: (() => void)[] = [];
let isTaken = false;

/**
 * Calls back with a body of so many bytes: at once unless it is large. Of the large ones, one goes on in each turn of the
 * event loop. The bodies of many clients come at once when a batch has been answered; worked on in one go, they would keep
 * every small request waiting for all of them.
 */
export function takeTurn(bytes: number, work: () => void): void {
  if (bytes < largeFromBytes) work();
  else if (isTaken) waiting.push(work);
  else begin(work);
}

/**
 * Does work at once as far as it takes some milliseconds, and the rest in slices of that time, each in a turn as
 * {@link takeTurn} gives them.
 *
 * @throws what the work throws; what is thrown in a later slice rejects the promise
 */
export function inTurns<T>(work: SlicedWork<T>): T | Promise<T> {
  const step = slice(work);
  if (step.done === true) return step.value;
  return new Promise((resolve, reject) => {
    const goOn = () => {
      try {
        const next = slice(work);
        if (next.done === true) resolve(next.value);
        else takeTurn(Number.POSITIVE_INFINITY, goOn);
      } catch (thrown) {
        reject(thrown);
      }
    };
    takeTurn(Number.POSITIVE_INFINITY, goOn);
  });
}

function slice<T>(work: SlicedWork<T>): IteratorResult<undefined, T> {
  let step = work.next();
  if (step.done === true) return step;
  const endMs = performance.now() + sliceMs;
  do step = work.next();
  while (step.done !== true && performance.now() < endMs);
  return step;
}

function begin(work: () => void): void {
  isTaken = true;
  setImmediate(() => {
    isTaken = false;
    const next = waiting.shift();
    if (next !== undefined) begin(next);
  });
  work();
}
