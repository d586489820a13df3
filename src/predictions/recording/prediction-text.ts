import type { PredictionBody } from '../schemas.ts';
import { currentFeedback, type StoredPrediction } from '../stored-prediction.ts';
import { idOf, shadowedId } from './prediction-id.ts';

/** A prediction as the API shows it, as JSON: its inputs, outputs and options with every digit that was kept. */
export function predictionText(row: StoredPrediction, more: object = {}): string {
  const { total_ms, encode_ms, queue_ms, batch_ms, infer_ms, batch_rows } = row;
  const before: Partial<PredictionBody> = {
    id: idOf(row),
    at: row.at.toISOString(),
    request_id: row.request_id,
    model: row.model,
    version: row.version,
    domain: row.domain,
    key: row.key_id === null ? null : { id: row.key_id, name: row.key_name ?? '' },
    status: row.status,
    phases: { total_ms, encode_ms, queue_ms, batch_ms, infer_ms, batch_rows },
  };
  const after = { role: row.role, of: shadowedId(row), feedback: currentFeedback(row.feedback) ?? null, ...more };
  const { inputs, outputs, options, steps } = row;
  const kept = `"inputs":${inputs ?? 'null'},"outputs":${outputs ?? 'null'},"options":${options ?? 'null'}`;
  const said = `"steps":${steps ?? 'null'}`;
  return `${JSON.stringify(before).slice(0, -1)},${kept},${said},${JSON.stringify(after).slice(1)}`;
}
