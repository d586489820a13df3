import type { Storage } from '../storage/storage.ts';
import type { PredictionId } from './recording/prediction-id.ts';
import { listPredictions, type PredictionFilter } from './store.ts';
import type { StoredPrediction } from './stored-prediction.ts';

/** Few enough for a page to hold up requests for a few milliseconds at most. */
const pageRows = 500;

/**
 * The predictions that a filter lets through, page by page, the newest first.
 *
 * @param limit most predictions in all
 * @throws AppError `STORAGE_UNAVAILABLE`
 */
export async function* predictionPages(
  storage: Pick<Storage, 'use'>,
  filter: PredictionFilter,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<readonly StoredPrediction[]> {
  let before: PredictionId | undefined;
  for (let left = limit; left > 0; ) {
    const wanted = Math.min(pageRows, left);
    const page = await storage.use(({ db }) => listPredictions(db, filter, { limit: wanted, before }));
    yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < wanted) return;
    before = { uuid: last.id, instance: last.instance };
    left -= page.length;
  }
}
