import type { LeaseColumns } from '../leased-rows/leased-table.ts';

/** Of a webhook that was called, no row is left. */
export type WebhookState = 'waiting' | 'calling';

/** A row of `webhooks`, a leased row: the end of a task whose webhook has not been called. */
export interface WebhooksTable extends LeaseColumns<WebhookState> {
  /** That of the task, which has the address; what deletes the task deletes this as well. */
  id: string;
}
