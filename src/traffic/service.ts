import { AppError } from '../errors.ts';
import type { SplitSettings } from '../models/traffic/traffic-settings.ts';
import type { Storage } from '../storage/storage.ts';
import type { TrafficFollower } from './follower.ts';
import { storedAuthor, storedDocument, type TrafficEvents, type TrafficState } from './schemas.ts';
import type { SplitModels } from './split-models.ts';
import { type Author, type Change, change, type Expected, fits, readEvents } from './store.ts';

/** The storage and what follows it. */
export interface Kept {
  readonly storage: Storage;
  readonly follower: TrafficFollower;
}

/** Who changes something, why, and for which state. */
export interface ChangeTerms {
  readonly expected: Expected;
  readonly who: Author | undefined;
  readonly why: string | undefined;
}

/** Tells how the requests of models are split, and stores how they are to be. */
export class TrafficService {
  readonly #models: SplitModels;
  readonly #kept: Kept | undefined;
  /** Changes under way in this process, by model. */
  readonly #changing = new Map<string, Promise<unknown>>();

  /** @param kept undefined where there is no storage */
  constructor(models: SplitModels, kept: Kept | undefined) {
    this.#models = models;
    this.#kept = kept;
  }

  /**
   * What holds now, which is the last that was known while the storage is away.
   *
   * @throws AppError `MODEL_NOT_FOUND`
   */
  async state(model: string): Promise<TrafficState> {
    const stored = await this.#stored(model);
    if (stored !== undefined) {
      const { settings, etag, changed_at, changed_by } = stored;
      const changed = { changed_at: changed_at.toISOString(), changed_by: storedAuthor.parse(changed_by) };
      return { source: 'stored', traffic: settings, etag, ...changed };
    }
    const { traffic } = this.#models.get(model);
    return traffic === undefined ? { source: 'none' } : { source: 'model.json', traffic };
  }

  /**
   * Stores a split, once all its versions are loaded here.
   *
   * @throws AppError `MODEL_NOT_FOUND`, `TRAFFIC_INVALID`, `TRAFFIC_CONFLICT`, `MODEL_NOT_READY`, `STORAGE_UNAVAILABLE`
   */
  put(model: string, settings: SplitSettings, terms: ChangeTerms): Promise<TrafficState> {
    return this.#inTurn(model, async () => {
      const kept = this.#required();
      this.#models.get(model);
      await kept.follower.look();
      this.#refuseOther(model, terms.expected, kept.follower.known(model)?.etag);
      try {
        await this.#models.prepare(model, settings);
        await this.#change(kept, { model, settings, ...terms });
      } catch (thrown) {
        // What was loaded for it is let go.
        kept.follower.apply(model);
        throw thrown;
      }
      await kept.follower.applied(model);
      return this.state(model);
    });
  }

  /**
   * Ends what is stored, so that `traffic` of `model.json` holds again. That nothing is stored is no error.
   *
   * @throws AppError `MODEL_NOT_FOUND`, `TRAFFIC_CONFLICT`, `STORAGE_UNAVAILABLE`
   */
  remove(model: string, terms: ChangeTerms): Promise<TrafficState> {
    return this.#inTurn(model, async () => {
      const kept = this.#required();
      await kept.follower.look();
      // What is stored for a model that is gone can be ended as well.
      if (kept.follower.known(model) === undefined) this.#models.get(model);
      await this.#change(kept, { model, settings: undefined, ...terms });
      await kept.follower.applied(model);
      return this.#models.find(model) === undefined ? { source: 'none' } : this.state(model);
    });
  }

  /**
   * The last changes, the newest first; of a model that is gone as well.
   *
   * @throws AppError `MODEL_NOT_FOUND` for a model that is not there and has none, `STORAGE_UNAVAILABLE`
   */
  async events(model: string, limit: number): Promise<TrafficEvents> {
    const rows = await this.#required().storage.use(({ db }) => readEvents(db, model, limit));
    if (rows.length === 0) this.#models.get(model);
    const events = rows.map(({ id, at, who, from, to, why }) => ({
      id,
      at: at.toISOString(),
      who: storedAuthor.parse(who),
      from: storedDocument.parse(from),
      to: storedDocument.parse(to),
      why,
    }));
    return { events };
  }

  async #stored(model: string) {
    if (this.#kept === undefined) return undefined;
    const { storage, follower } = this.#kept;
    // Without an answer, what was last known holds.
    if (storage.state === 'ready') await follower.look().catch(() => {});
    return follower.known(model);
  }

  async #change({ storage, follower }: Kept, wanted: Change): Promise<void> {
    const outcome = await storage.use(({ db }) => change(db, wanted));
    if (!outcome.changed) throw conflict(wanted.model, outcome.etag);
    await follower.look();
  }

  /** Nothing is loaded for a change that comes too late. */
  #refuseOther(model: string, expected: Expected, etag: string | undefined): void {
    if (!fits(expected, etag)) throw conflict(model, etag);
  }

  /** @throws AppError `STORAGE_UNAVAILABLE` */
  #required(): Kept {
    if (this.#kept !== undefined) return this.#kept;
    throw new AppError('STORAGE_UNAVAILABLE', {
      message: 'The split of the traffic cannot be stored: STORAGE is off; set STORAGE=1',
      received: 'STORAGE=0',
      expected: 'STORAGE=1',
    });
  }

  /** A change lets go of what another one has loaded, so that there is one at a time. */
  async #inTurn<Result>(model: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#changing.get(model) ?? Promise.resolve();
    const result = before.then(work);
    const settled = result.catch(() => {});
    this.#changing.set(model, settled);
    try {
      return await result;
    } finally {
      if (this.#changing.get(model) === settled) this.#changing.delete(model);
    }
  }
}

/** `expected` is the etag that would have been right. */
function conflict(model: string, etag: string | undefined): AppError {
  const now = etag === undefined ? 'nothing is stored' : `what is stored has the etag "${etag}"`;
  return new AppError('TRAFFIC_CONFLICT', {
    message: `The split of the traffic of the model ${model} is another one by now: ${now}; send If-Match with its etag, or * to replace whatever is stored`,
    expected: etag,
  });
}
