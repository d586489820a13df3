import type { Column } from '../../tabular/column.ts';
import type { KeptText } from '../recording/kept-text.ts';
import { idOf, shadowedId } from '../recording/prediction-id.ts';
import { currentFeedback, type Label, type StoredPrediction } from '../stored-prediction.ts';

/**
 * The table that predictions are exported as, but for formats that have a prediction as it is. What differs between models
 * is JSON.
 */
export const columns: readonly Column<StoredPrediction>[] = [
  { name: 'id', type: 'STRING', read: idOf },
  { name: 'at', type: 'TIMESTAMP', read: ({ at }) => at },
  { name: 'request_id', type: 'STRING', read: ({ request_id }) => request_id },
  { name: 'model', type: 'STRING', read: ({ model }) => model },
  { name: 'version', type: 'STRING', read: ({ version }) => version },
  { name: 'domain', type: 'STRING', read: ({ domain }) => domain },
  { name: 'key_id', type: 'STRING', read: ({ key_id }) => key_id },
  { name: 'key_name', type: 'STRING', read: ({ key_name }) => key_name },
  { name: 'status', type: 'STRING', read: ({ status }) => status },
  { name: 'total_ms', type: 'DOUBLE', read: ({ total_ms }) => total_ms },
  { name: 'encode_ms', type: 'DOUBLE', read: ({ encode_ms }) => encode_ms },
  { name: 'queue_ms', type: 'DOUBLE', read: ({ queue_ms }) => queue_ms },
  { name: 'batch_ms', type: 'DOUBLE', read: ({ batch_ms }) => batch_ms },
  { name: 'infer_ms', type: 'DOUBLE', read: ({ infer_ms }) => infer_ms },
  { name: 'batch_rows', type: 'INT32', read: ({ batch_rows }) => batch_rows },
  { name: 'inputs', type: 'JSON', read: ({ inputs }) => inputs },
  { name: 'outputs', type: 'JSON', read: ({ outputs }) => outputs },
  { name: 'feedback_label', type: 'JSON', read: ({ feedback }) => labelText(currentFeedback(feedback)?.label) },
  { name: 'feedback_score', type: 'DOUBLE', read: ({ feedback }) => currentFeedback(feedback)?.score ?? null },
  { name: 'feedback_comment', type: 'STRING', read: ({ feedback }) => currentFeedback(feedback)?.comment ?? null },
  { name: 'options', type: 'JSON', read: ({ options }) => options },
  { name: 'steps', type: 'JSON', read: ({ steps }) => steps },
  { name: 'role', type: 'STRING', read: ({ role }) => role },
  { name: 'of', type: 'STRING', read: shadowedId },
];

function labelText(label: Label | undefined): KeptText {
  return label === undefined ? null : JSON.stringify(label);
}
