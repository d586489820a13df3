import { z } from 'zod';
import { maxPriority, priorityHeader } from './priority-header.ts';
import { timeoutHeader } from './timeout-header.ts';

/** Documents the headers that every prediction takes. */
export const predictionHeaders = z.object({
  [timeoutHeader]: z
    .int()
    .min(1)
    .max(3_600_000)
    .optional()
    .describe("Deadline in milliseconds, capped by the model's own"),
  [priorityHeader]: z
    .int()
    .min(0)
    .max(maxPriority)
    .optional()
    .describe('1 is served first, larger numbers later; 0 stands for the level of most requests'),
  'x-request-id': z.string().max(128).optional().describe('Names the request in the reply and in the log'),
});
