/** Time as a part sees it; tests give it a virtual one. */
export interface Clock {
  /** Milliseconds that never run backwards, whatever happens to the wall clock. */
  now(): number;
  /** Calls `callback` once after `delayMs`; the returned function cancels it. A pending timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
