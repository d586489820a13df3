import type { Tensors } from '../../../tensor/tensor.ts';
import type { Clock } from '../../../timing/clock.ts';
import type { CacheEvents } from '../cache-events.ts';
import { answerFromBytes, answerToBytes } from './answer-bytes.ts';
import type { RestingBytes } from './resting-bytes.ts';
import type { AnswerForm, SharedAnswer, SharedAnswers } from './shared-answers.ts';

/** All keys begin so. */
const prefix = 'inferd:cache:';

/** The answers of one version among those that servers share. What is no answer of the version is a miss. */
export class SharedStore implements SharedAnswers {
  readonly #bytes: RestingBytes;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #events: CacheEvents | undefined;

  constructor(bytes: RestingBytes, clock: Pick<Clock, 'now'>, events?: CacheEvents) {
    this.#bytes = bytes;
    this.#clock = clock;
    this.#events = events;
  }

  async find(
    keys: readonly string[],
    { identity, form, mostMs }: { readonly identity: string; readonly form: AnswerForm; readonly mostMs: number },
  ): Promise<readonly (SharedAnswer | undefined)[]> {
    const startedMs = this.#clock.now();
    const names = keys.map((key) => nameOf(identity, key));
    const outcome = await this.#bytes.get(names, mostMs);
    const found =
      outcome.kind === 'answered'
        ? outcome.values.map((value, index) => {
            const answer = value && answerFromBytes(keys[index] ?? '', value.bytes, form);
            return value && answer && { answer, ttlMs: value.ttlMs };
          })
        : [];
    const hits = found.filter((answer) => answer !== undefined).length;
    this.#events?.onShared?.({
      hits,
      misses: outcome.kind === 'answered' ? keys.length - hits : 0,
      errors: outcome.kind === 'failed' ? keys.length : 0,
      skipped: outcome.kind === 'resting' ? keys.length : 0,
      ms: this.#clock.now() - startedMs,
    });
    return found;
  }

  keep(key: string, answer: Tensors, { identity, ttlMs }: { readonly identity: string; readonly ttlMs: number }): void {
    const bytes = answerToBytes(key, answer);
    if (bytes === undefined) return;
    this.#bytes.set(nameOf(identity, key), bytes, ttlMs, () => this.#events?.onSharedWriteFailed?.());
  }

  clear(identity: string): Promise<number> {
    return this.#bytes.clear(`${prefix}${groupOf(identity)}:`);
  }
}

/** What answers comes first, so that all of its answers can be found. */
function nameOf(identity: string, key: string): string {
  return `${prefix}${groupOf(identity)}:${Buffer.from(key, 'latin1').toString('hex')}`;
}

/** The identity is a digest already; some of it tells models apart. */
function groupOf(identity: string): string {
  return identity.slice(0, 16);
}
