import { z } from 'zod';

export const Text = z.strictObject({
  text: z.string().trim().min(1).max(10_000).describe('Korean or English text'),
});

export const Sentiment = z.object({
  label: z.enum(['positive', 'negative']),
  probability: z.number().min(0).max(1).describe('Probability of the label'),
  language: z.enum(['ko', 'en']).describe('Language that the text seems to be in'),
});

export type Text = z.output<typeof Text>;
export type Sentiment = z.output<typeof Sentiment>;
