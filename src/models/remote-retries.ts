import { backOff } from '../timing/back-off.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import { RepeatingJob } from '../timing/repeating-job.ts';
import { isElsewhere } from './elsewhere.ts';
import type { LoadedVersion } from './registry/loaded-version.ts';
import type { Registry } from './registry/registry.ts';

export interface RemoteRetriesOptions {
  readonly registry: Pick<Registry, 'list' | 'onChange' | 'loadAgain'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'error'>;
}

/** Time until a load is tried again, and twice as much after each that fails too, in milliseconds. */
const delaysMs = { first: 1_000, longest: 10_000 };
const lookEveryMs = 1_000;

interface Waiting {
  failures: number;
  dueMs: number;
}

/**
 * Loads models again that could not be loaded because another server was away, without anybody's help. What is made of
 * them follows by itself. Nothing runs while there is no such model.
 */
export class RemoteRetries implements AsyncDisposable {
  readonly #options: RemoteRetriesOptions;
  readonly #waiting = new Map<string, Waiting>();
  #job: RepeatingJob | undefined;
  #isClosed = false;

  constructor(options: RemoteRetriesOptions) {
    this.#options = options;
    options.registry.onChange(() => this.#follow());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#job?.close();
  }

  #follow(): void {
    const { registry, clock, log } = this.#options;
    if (this.#isClosed) return;
    const names = new Set(registry.list().flatMap(({ name, versions }) => (versions.some(waits) ? [name] : [])));
    for (const name of this.#waiting.keys()) if (!names.has(name)) this.#waiting.delete(name);
    for (const name of names) {
      if (!this.#waiting.has(name)) this.#waiting.set(name, { failures: 1, dueMs: clock.now() + delaysMs.first });
    }
    if (names.size === 0) {
      void this.#job?.close();
      this.#job = undefined;
      return;
    }
    this.#job ??= new RepeatingJob(() => this.#retry(), {
      intervalMs: lookEveryMs,
      clock,
      onError: (err) => log.error({ err }, 'Models on other servers could not be loaded again'),
    });
  }

  async #retry(): Promise<void> {
    const { registry, clock } = this.#options;
    const due = [...this.#waiting].filter(([, { dueMs }]) => dueMs <= clock.now());
    await Promise.all(
      due.map(async ([name, waiting]) => {
        await registry.loadAgain(name);
        waiting.failures += 1;
        waiting.dueMs = clock.now() + backOff(delaysMs, waiting.failures);
      }),
    );
  }
}

function waits({ kind, error, failedReplacement }: LoadedVersion): boolean {
  return kind === 'remote' && (isElsewhere(error) || isElsewhere(failedReplacement));
}
