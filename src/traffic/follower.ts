import { type SplitSettings, splitSettings } from '../models/traffic/traffic-settings.ts';
import { Listener } from '../storage/listener.ts';
import type { Storage } from '../storage/storage.ts';
import { createThrottledErrorLog, type ThrottledErrorLog } from '../storage/throttled-error-log.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import { RepeatingJob } from '../timing/repeating-job.ts';
import type { SplitModels } from './split-models.ts';
import { channel, readAll, type TrafficRow } from './store.ts';
import { StoredMarker } from './stored-marker.ts';

/** What is stored for a model. */
export interface StoredSplit extends Omit<TrafficRow, 'document'> {
  readonly settings: SplitSettings;
}

export interface FollowerDependencies {
  readonly storage: Storage;
  readonly models: Pick<SplitModels, 'follow' | 'lacks'>;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly log: Pick<Log, 'warn'>;
}

/** Changes are told; this finds what was not heard, and versions whose files have come since. */
const lookMs = 30_000;
/** How long a start waits for the storage, once the models are loaded. */
const startMs = { postgres: 5000, embedded: 15_000 };

/**
 * Follows what is stored: a change that any process makes holds here within a second, and what held last does while the
 * storage is away.
 */
export class TrafficFollower {
  readonly #dependencies: FollowerDependencies;
  readonly #logError: ThrottledErrorLog;
  readonly #marker: StoredMarker;
  readonly #known = new Map<string, StoredSplit>();
  /** Changes under way, by model. */
  readonly #applying = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  #looking: Promise<void> = Promise.resolve();
  #looks: RepeatingJob | undefined;
  #listener: Listener | undefined;
  #stopWaiting = () => {};

  constructor(dependencies: FollowerDependencies) {
    this.#dependencies = dependencies;
    this.#logError = createThrottledErrorLog(dependencies);
    this.#marker = new StoredMarker(dependencies.storage);
  }

  /** Whether there may be something to wait for before the server serves. */
  get mayHold(): boolean {
    return this.#marker.isThere;
  }

  /** What was stored when it was last looked at. */
  known(model: string): StoredSplit | undefined {
    return this.#known.get(model);
  }

  /** Follows from now on. */
  start(): void {
    const { storage, clock, log } = this.#dependencies;
    const onError = (thrown: unknown) => this.#logError(thrown, 'The stored split of the traffic cannot be read');
    const looks = new RepeatingJob(() => this.look(), { intervalMs: lookMs, clock, onError });
    this.#looks = looks;
    const lookSoon = () => looks.runSoon();
    this.#stopWaiting = storage.onReady(lookSoon);
    // No other process works on the embedded database.
    if (storage.isEmbedded) return;
    this.#listener = new Listener({ storage, channel, clock, log, onMessage: lookSoon, onListening: lookSoon });
  }

  /**
   * Applies what is stored before the server serves, where the storage opens in time; without it, whatever is stored holds
   * as soon as it does.
   *
   * @param signal ends the wait
   */
  async applyAtStart(signal?: AbortSignal): Promise<void> {
    const { clock, storage } = this.#dependencies;
    const late = Promise.withResolvers<void>();
    const cancel = clock.setTimer(storage.isEmbedded ? startMs.embedded : startMs.postgres, late.resolve);
    const giveUp = () => late.resolve();
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted !== true) await Promise.race([this.#applyOnceOpen(), late.promise]);
    signal?.removeEventListener('abort', giveUp);
    cancel();
  }

  /**
   * Reads what is stored; what has changed is applied behind the caller's back, in its turn.
   *
   * @throws AppError `STORAGE_UNAVAILABLE`
   */
  look(): Promise<void> {
    // One that is under way may have read before the caller's change.
    const looked = this.#looking.then(() => this.#look());
    this.#looking = looked.catch(() => {});
    return looked;
  }

  /** Makes hold what is known of a model, behind the caller's back and in its turn. */
  apply(model: string): void {
    const before = this.#applying.get(model) ?? Promise.resolve();
    const { models } = this.#dependencies;
    const applied = before.then(() => models.follow(model, this.#known.get(model)?.settings, this.#closing.signal));
    const settled = applied
      .catch((thrown: unknown) => this.#logError(thrown, 'The stored split of the traffic is not followed'))
      .finally(() => {
        if (this.#applying.get(model) === settled) this.#applying.delete(model);
      });
    this.#applying.set(model, settled);
  }

  /** Resolves when what is known of the model is what holds. */
  async applied(model: string): Promise<void> {
    await this.#applying.get(model);
  }

  /** Before the storage and the registry are closed; ends the loads under way. */
  async close(): Promise<void> {
    this.#stopWaiting();
    this.#listener?.close();
    this.#closing.abort();
    await this.#looks?.close();
    await this.#looking;
    await Promise.all(this.#applying.values());
  }

  async #applyOnceOpen(): Promise<void> {
    const { storage } = this.#dependencies;
    await storage.opened();
    if (storage.state !== 'ready') return;
    try {
      await this.look();
    } catch (thrown) {
      this.#logError(thrown, 'The stored split of the traffic cannot be read');
    }
    await Promise.all(this.#applying.values());
  }

  async #look(): Promise<void> {
    const { storage, models } = this.#dependencies;
    const rows = await storage.use(({ db }) => readAll(db));
    await this.#marker.set(rows.length > 0);
    const stored = new Map(rows.flatMap((row) => this.#parse(row)));
    const gone = [...this.#known.keys()].filter((model) => !stored.has(model));
    for (const model of gone) this.#known.delete(model);
    const changed = [...stored.values()].filter((split) => this.#known.get(split.model)?.etag !== split.etag);
    for (const split of changed) this.#known.set(split.model, split);
    const lacking = [...stored.values()].filter(({ model, settings }) => models.lacks(model, settings));
    const names = [...gone, ...[...changed, ...lacking].map(({ model }) => model)];
    for (const model of new Set(names)) this.apply(model);
  }

  /** A row that another release has written may be nothing that this one can follow. */
  #parse({ document, ...row }: TrafficRow): readonly (readonly [string, StoredSplit])[] {
    const parsed = splitSettings.safeParse(document);
    if (parsed.success) return [[row.model, { ...row, settings: parsed.data }]];
    this.#dependencies.log.warn(
      { err: parsed.error, model: row.model },
      'The stored split of the traffic is not known',
    );
    return [];
  }
}
