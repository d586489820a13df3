import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { BareAnswer, BareRequest } from './bare-child.ts';

/** Runs models in a process of its own, and starts another one when a model kills it. */
export class Bare implements Disposable {
  #child: ChildProcess | undefined;

  async run(request: BareRequest): Promise<BareAnswer | { readonly kind: 'crashed'; readonly reason: string }> {
    this.#child ??= fork(new URL('./bare-child.ts', import.meta.url));
    const child = this.#child;
    const ended = new AbortController();
    const answered = once(child, 'message', { signal: ended.signal });
    const exited = once(child, 'exit', { signal: ended.signal });
    child.send(request);
    try {
      return await Promise.race([
        answered.then(([answer]) => answer),
        exited.then(([code, signal]) => {
          this.#child = undefined;
          return { kind: 'crashed', reason: `exit code ${code}, signal ${signal}` };
        }),
      ]);
    } finally {
      ended.abort();
      await Promise.allSettled([answered, exited]);
    }
  }

  [Symbol.dispose](): void {
    this.#child?.kill();
  }
}
