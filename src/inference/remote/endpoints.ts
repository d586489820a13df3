import type { Signature } from '../../tensor/tensor.ts';
import { backOff } from '../../timing/back-off.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Log } from '../../timing/log.ts';
import type { Health } from '../predictor.ts';
import { type Down, Endpoint, type EndpointIdentity } from './endpoint.ts';
import { RemoteFailure } from './remote-failure.ts';
import { signatureChange } from './remote-signature.ts';

export interface EndpointsOptions {
  readonly endpoints: readonly EndpointIdentity[];
  readonly signature: Signature;
  /** The one that has just said so; the others are looked at at once. @default none */
  readonly knownUrl?: string | undefined;
  /** Whether the servers must go on saying that they have this signature. */
  readonly checksSignature: boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when one begins or ends to be asked. */
  readonly onChange: () => void;
}

/** Time between two looks at a server that is asked. */
const lookEveryMs = 10_000;
/** Time between two looks at one that is not: it is asked again soon after it is back. */
const comesBackMs = { first: 100, longest: 1_000 };
/** Longest time that a look may take. */
export const lookTimeoutMs = 5_000;
/** So many connections must fail in a row until a server is left alone. */
const failuresThatRest = 5;

/** The servers of one model: which of them is asked next, and which not for now. */
export class Endpoints {
  readonly all: readonly Endpoint[];
  readonly #options: EndpointsOptions;
  readonly #closing = new AbortController();
  readonly #timers = new Map<Endpoint, () => void>();
  /** Where the search for the next begins, so that idle ones take turns. */
  #turn = 0;

  constructor(options: EndpointsOptions) {
    this.#options = options;
    this.all = options.endpoints.map((identity) => new Endpoint(identity));
    for (const endpoint of this.all) {
      endpoint.wasReached = endpoint.url === options.knownUrl;
      this.#lookIn(endpoint, endpoint.wasReached ? lookEveryMs : 0);
    }
  }

  get health(): Health {
    if (this.all.some(({ isUp }) => isUp)) return { ready: true };
    const reasons = this.all.map(({ name, down }) => `${name}: ${down?.reason}`);
    return { ready: false, reason: reasons.join('; '), elsewhere: true };
  }

  /** The one with the fewest requests under way; undefined when none can be asked. */
  choose(except?: Endpoint): Endpoint | undefined {
    const { all } = this;
    let chosen: Endpoint | undefined;
    for (let step = 0; step < all.length; step += 1) {
      const endpoint = all[(this.#turn + step) % all.length];
      if (endpoint === undefined || endpoint === except || !endpoint.isUp) continue;
      if (chosen === undefined || endpoint.underWay < chosen.underWay) chosen = endpoint;
    }
    this.#turn = (this.#turn + 1) % all.length;
    return chosen;
  }

  /** The server has answered, whatever it said. */
  recordReached(endpoint: Endpoint): void {
    endpoint.failures = 0;
    endpoint.wasReached = true;
  }

  /** The server could not be reached; after five times in a row it is left alone. */
  recordUnreachable(endpoint: Endpoint, reason: string): void {
    endpoint.failures += 1;
    const isEnough = endpoint.failures >= failuresThatRest || !endpoint.wasReached;
    if (endpoint.isUp && isEnough) this.#takeOut(endpoint, { kind: 'unreachable', reason });
  }

  /** Looks at none any more, and ends what is under way. */
  close(): void {
    this.#closing.abort();
    for (const cancel of this.#timers.values()) cancel();
    for (const { transport } of this.all) transport.close();
  }

  #lookIn(endpoint: Endpoint, delayMs: number): void {
    if (this.#closing.signal.aborted) return;
    this.#timers.get(endpoint)?.();
    this.#timers.set(
      endpoint,
      this.#options.clock.setTimer(delayMs, () => void this.#look(endpoint)),
    );
  }

  async #look(endpoint: Endpoint): Promise<void> {
    const found = await this.#find(endpoint);
    if (this.#closing.signal.aborted) return;
    if (found === 'fit') this.#bringBack(endpoint);
    else if (found !== 'unknown') this.#takeOut(endpoint, found);
    if (!endpoint.isUp) endpoint.looksInVain += 1;
    this.#lookIn(endpoint, endpoint.isUp ? lookEveryMs : backOff(comesBackMs, endpoint.looksInVain));
  }

  async #find(endpoint: Endpoint): Promise<Down | 'fit' | 'unknown'> {
    const { signature, checksSignature, clock } = this.#options;
    try {
      const found = await looking({ clock, ending: this.#closing.signal }, async (signal) => {
        if (!endpoint.isUp || !checksSignature) await endpoint.transport.ready(signal);
        return checksSignature ? endpoint.transport.signature(signal) : signature;
      });
      this.recordReached(endpoint);
      const change = signatureChange(signature, found);
      if (change === undefined) return 'fit';
      return { kind: 'unfit', reason: `its signature is not what it was: ${change}` };
    } catch (thrown) {
      if (thrown instanceof RemoteFailure) return this.#foundBy(endpoint, thrown);
      // Nobody waits for a look who could be told.
      return { kind: 'unfit', reason: `it could not be looked at: ${thrown}` };
    }
  }

  #foundBy(endpoint: Endpoint, { error, reach }: RemoteFailure): Down | 'unknown' {
    if (error.code === 'CLIENT_GONE') return { kind: 'unreachable', reason: `no answer in ${lookTimeoutMs} ms` };
    if (reach !== 'answered') {
      this.recordUnreachable(endpoint, error.message);
      return endpoint.isUp ? 'unknown' : { kind: 'unreachable', reason: error.message };
    }
    // A server that has much to do, or is slow, still has the model.
    const isPassing = error.code === 'QUEUE_FULL' || error.code === 'DEADLINE_EXCEEDED';
    return endpoint.isUp && isPassing ? 'unknown' : { kind: 'unfit', reason: error.message };
  }

  #takeOut(endpoint: Endpoint, down: Down): void {
    const { log, onChange } = this.#options;
    const { isUp: wasUp, down: before } = endpoint;
    endpoint.down = down;
    if (before?.reason !== down.reason) {
      log.warn({ endpoint: endpoint.name, reason: down.reason }, 'a server of a remote model is not asked for now');
    }
    if (!wasUp) return;
    endpoint.looksInVain = 0;
    this.#lookIn(endpoint, comesBackMs.first);
    onChange();
  }

  #bringBack(endpoint: Endpoint): void {
    if (endpoint.isUp) return;
    const { log, onChange } = this.#options;
    endpoint.down = undefined;
    log.info({ endpoint: endpoint.name }, 'a server of a remote model is asked again');
    onChange();
  }
}

/** Does something that may take so long, and no longer than its owner lives. */
export async function looking<Result>(
  { clock, ending }: { readonly clock: Clock; readonly ending: AbortSignal },
  look: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const late = new AbortController();
  const cancel = clock.setTimer(lookTimeoutMs, () => late.abort());
  try {
    return await look(AbortSignal.any([ending, late.signal]));
  } finally {
    cancel();
  }
}
