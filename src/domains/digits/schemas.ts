import { z } from 'zod';

const probability = z.number().min(0).max(1);

export const Recognition = z.object({
  digit: z.int().min(0).max(9).describe('The most probable digit'),
  probabilities: z
    .object({
      0: probability,
      1: probability,
      2: probability,
      3: probability,
      4: probability,
      5: probability,
      6: probability,
      7: probability,
      8: probability,
      9: probability,
    })
    .describe('Probability of each digit'),
});

export type Recognition = z.output<typeof Recognition>;
