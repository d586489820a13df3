import { z } from 'zod';

const probability = z.number().nullable().describe('null where the model gives no finite number');

/** What a picture shows: the most probable class, and the first of them all. */
export const Classification = z.object({
  label: z.string().describe('The most probable class'),
  probability,
  classes: z
    .array(
      z.object({
        label: z.string(),
        index: z.int().min(0).describe('Which output of the model this is'),
        probability,
      }),
    )
    .describe('The most probable classes, most probable first'),
});
export type Classification = z.output<typeof Classification>;
