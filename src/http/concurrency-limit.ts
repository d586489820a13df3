import type { FastifyInstance } from 'fastify';
import { AppError } from '../errors.ts';
import { callerKey } from './caller-key.ts';

/** Counts what is under way by caller, and refuses what is more than allowed. */
export class ConcurrencyLimit {
  readonly #underWay = new Map<string, number>();

  /**
   * @returns ends the request; to be called once
   * @throws AppError `TOO_MANY_AT_ONCE`
   */
  enter(caller: string, max: number): () => void {
    const count = this.#underWay.get(caller) ?? 0;
    if (count >= max) {
      const message = `${max} requests are under way already`;
      throw new AppError('TOO_MANY_AT_ONCE', { message, received: count + 1, expected: max, retryAfterSeconds: 1 });
    }
    this.#underWay.set(caller, count + 1);
    return () => this.#leave(caller);
  }

  /** How many callers have a request under way. */
  get callers(): number {
    return this.#underWay.size;
  }

  #leave(caller: string): void {
    const count = this.#underWay.get(caller) ?? 0;
    if (count > 1) this.#underWay.set(caller, count - 1);
    else this.#underWay.delete(caller);
  }
}

/** Limits how many requests of one caller are under way, until their answers are sent or their clients are gone. */
export function limitConcurrency(app: FastifyInstance, limit: ConcurrencyLimit, maxForAll: number | undefined): void {
  app.addHook('onRequest', (request, reply, done) => {
    const max = request.caller?.concurrency ?? maxForAll;
    if (max !== undefined && request.routeOptions.config.scope !== 'open') {
      reply.raw.once('close', limit.enter(callerKey(request), max));
    }
    done();
  });
}
