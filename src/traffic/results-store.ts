import { idOf, shadowedId } from '../predictions/recording/prediction-id.ts';
import type { PredictionService } from '../predictions/service.ts';
import type { PredictionFilter } from '../predictions/store.ts';
import type { StoredPrediction } from '../predictions/stored-prediction.ts';

/** A prediction, and what another version has made of its inputs. */
export interface ShadowPair {
  readonly primary: StoredPrediction;
  readonly shadow: StoredPrediction;
}

/**
 * Shadows with their predictions, page by page, the newest first; without those whose prediction is not kept any more.
 *
 * @param limit most shadows in all
 * @throws AppError `STORAGE_UNAVAILABLE`
 */
export async function* shadowPairs(
  predictions: Pick<PredictionService, 'pages' | 'find'>,
  filter: Omit<PredictionFilter, 'role'>,
  limit: number,
): AsyncGenerator<readonly ShadowPair[]> {
  for await (const shadows of predictions.pages({ ...filter, role: 'shadow' }, limit)) {
    const ids = shadows.flatMap(({ of_id, of_instance }) =>
      of_id === null ? [] : [{ uuid: of_id, instance: of_instance ?? 0 }],
    );
    const primaries = new Map((await predictions.find(ids)).map((primary) => [idOf(primary), primary]));
    yield shadows.flatMap((shadow) => {
      const primary = primaries.get(shadowedId(shadow) ?? '');
      return primary === undefined ? [] : [{ primary, shadow }];
    });
  }
}
