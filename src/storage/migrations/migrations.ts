import type { Migration } from 'kysely';
import { tasks } from './0001-tasks.ts';
import { predictions } from './0002-predictions.ts';
import { taskPredictions } from './0003-task-predictions.ts';
import { taskInputBytes } from './0004-task-input-bytes.ts';
import { leasedRows } from './0005-leased-rows.ts';
import { predictionOptions } from './0006-prediction-options.ts';
import { predictionSteps } from './0007-prediction-steps.ts';
import { traffic } from './0008-traffic.ts';
import { predictionShadows } from './0009-prediction-shadows.ts';

/**
 * Every change of the tables, in order; the names are kept in the database. What has been released is never changed:
 * a later migration mends it.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-tasks': tasks,
  '0002-predictions': predictions,
  '0003-task-predictions': taskPredictions,
  '0004-task-input-bytes': taskInputBytes,
  '0005-leased-rows': leasedRows,
  '0006-prediction-options': predictionOptions,
  '0007-prediction-steps': predictionSteps,
  '0008-traffic': traffic,
  '0009-prediction-shadows': predictionShadows,
};
