import { z } from 'zod';
import type { KeptText } from './recording/kept-text.ts';

/** What a client says of an answer. */
export const feedbackSchema = z.object({
  at: z.string(),
  label: z.union([z.string(), z.number(), z.boolean()]).optional(),
  score: z.number().optional(),
  comment: z.string().optional(),
  key: z.string().optional(),
});

export const feedbackList: z.ZodType<readonly Feedback[]> = z.array(feedbackSchema);

export type Feedback = z.output<typeof feedbackSchema>;

/** The true answer, as people give it. */
export type Label = NonNullable<Feedback['label']>;

/** What counts of all that was said: the last label, the last score and the last comment. Undefined without feedback. */
export function currentFeedback(history: readonly Feedback[]): Feedback | undefined {
  let said = history[0];
  for (const feedback of history) said = { ...said, ...feedback };
  return said;
}

/** A prediction as the database has it. */
export interface StoredPrediction {
  readonly id: string;
  readonly instance: number;
  readonly at: Date;
  readonly request_id: string;
  readonly model: string;
  readonly version: string | null;
  readonly domain: string | null;
  readonly key_id: string | null;
  readonly key_name: string | null;
  readonly status: string;
  readonly total_ms: number | null;
  readonly encode_ms: number | null;
  readonly queue_ms: number | null;
  readonly batch_ms: number | null;
  readonly infer_ms: number | null;
  readonly batch_rows: number | null;
  readonly inputs: KeptText;
  readonly outputs: KeptText;
  readonly options: KeptText;
  readonly steps: KeptText;
  /** `shadow`: what another version has made of the inputs of a prediction. */
  readonly role: string | null;
  /** Of a shadow: the id of that prediction. */
  readonly of_id: string | null;
  readonly of_instance: number | null;
  /** The oldest first. */
  readonly feedback: readonly Feedback[];
}
