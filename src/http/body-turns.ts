/** From so many bytes on, what follows a body (parsing, checking, making tensors) can take a tenth of a millisecond and more. */
const largeFromBytes = 16 * 1024;

// All servers of a process share its event loop.
const waiting: (() => void)[] = [];
let isTaken = false;

/**
 * Calls back with a body of so many bytes: at once unless it is large. Of the large ones, one goes on in each turn of the
 * event loop. The bodies of many clients come at once when a batch has been answered; worked on in one go, they would keep
 * every small request waiting for all of them.
 */
export function takeBodyTurn(bytes: number, work: () => void): void {
  if (bytes < largeFromBytes) work();
  else if (isTaken) waiting.push(work);
  else begin(work);
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
