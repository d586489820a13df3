import { AppError } from '../errors.ts';
import type { PredictionLog } from './prediction-log.ts';
import { predictionPages } from './prediction-pages.ts';
import { formatPredictionId, type PredictionId, parsePredictionId } from './recording/prediction-id.ts';
import {
  addFeedback,
  countByDay,
  type DayCount,
  findPrediction,
  findPredictions,
  listPredictions,
  type PredictionFilter,
} from './store.ts';
import type { Feedback, StoredPrediction } from './stored-prediction.ts';

/** Whose predictions a caller may see. */
export interface Reader {
  /** Id of the API key; undefined when there are no keys. */
  readonly keyId: string | undefined;
  /** Whether those of others may be seen as well. */
  readonly seesAll: boolean;
  maySee(model: string): boolean;
}

export interface Page {
  readonly predictions: readonly StoredPrediction[];
  /** Where the next page begins; undefined on the last. */
  readonly next: PredictionId | undefined;
}

/** Reads the prediction log. What this process has answered before is part of it. */
export class PredictionService {
  readonly #log: PredictionLog;

  constructor(log: PredictionLog) {
    this.#log = log;
  }

  /** Predictions that were not kept since the start of the program, by reason. */
  get dropped(): Readonly<Record<string, number>> {
    return this.#log.counts.byReason;
  }

  /** @throws AppError `STORAGE_UNAVAILABLE` */
  async list(filter: PredictionFilter, limit: number, before?: PredictionId): Promise<Page> {
    await this.#log.flush();
    const rows = await this.#log.storage.use(({ db }) => listPredictions(db, filter, { limit: limit + 1, before }));
    const predictions = rows.slice(0, limit);
    const last = predictions.at(-1);
    const next = rows.length > limit && last !== undefined ? { uuid: last.id, instance: last.instance } : undefined;
    return { predictions, next };
  }

  /**
   * The predictions page by page, the newest first.
   *
   * @param limit most predictions in all
   * @throws AppError `STORAGE_UNAVAILABLE`
   */
  async *pages(filter: PredictionFilter, limit?: number): AsyncGenerator<readonly StoredPrediction[]> {
    await this.#log.flush();
    yield* predictionPages(this.#log.storage, filter, limit);
  }

  /**
   * How many predictions there are by version and day, the newest day first.
   *
   * @throws AppError `STORAGE_UNAVAILABLE`
   */
  async countByDay(filter: PredictionFilter): Promise<readonly DayCount[]> {
    await this.#log.flush();
    return this.#log.storage.use(({ db }) => countByDay(db, filter));
  }

  /**
   * Those of the predictions that were kept and still are, in no order.
   *
   * @throws AppError `STORAGE_UNAVAILABLE`
   */
  async find(ids: readonly PredictionId[]): Promise<readonly StoredPrediction[]> {
    return ids.length === 0 ? [] : this.#log.storage.use(({ db }) => findPredictions(db, ids));
  }

  /** @throws AppError `PREDICTION_NOT_FOUND`, also if the reader may not see it; `STORAGE_UNAVAILABLE` */
  async get(text: string, reader: Reader): Promise<StoredPrediction> {
    const id = parsePredictionId(text);
    if (id === undefined) throw notFound(text);
    await this.#log.flush();
    const found = await this.#log.storage.use(({ db }) => findPrediction(db, id));
    if (found === undefined || !mayRead(found, reader)) throw notFound(text);
    return found;
  }

  /** Adds feedback; the prediction as it is then. @throws AppError as {@link get} does */
  async judge(text: string, feedback: Feedback, reader: Reader): Promise<StoredPrediction> {
    const { id, instance } = await this.get(text, reader);
    await this.#log.storage.use(({ db }) => addFeedback(db, { uuid: id, instance }, feedback));
    return this.get(formatPredictionId({ uuid: id, instance }), reader);
  }
}

function mayRead({ key_id, model }: StoredPrediction, { keyId, seesAll, maySee }: Reader): boolean {
  return maySee(model) && (seesAll || key_id === keyId);
}

function notFound(id: string): AppError {
  const message = `There is no prediction ${JSON.stringify(id)}; it was not kept, is not kept any more, or is not yours`;
  return new AppError('PREDICTION_NOT_FOUND', { message, received: id });
}
