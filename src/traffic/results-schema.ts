import { z } from 'zod';

const part = z.number().nullable();
const milliseconds = z.object({ p50: part, p95: part, p99: part });

const disagreement = z.object({
  id: z.string().describe('Of the prediction that the client has'),
  shadow_id: z.string(),
  at: z.string(),
  version: z.string().nullable().describe('That answered the client'),
  primary: z.any().describe('What the client was answered: the target, or everything where there is none'),
  shadow: z.any().describe('What the shadow answered'),
});

const shadow = z.object({
  version: z.string(),
  failed: z.int().describe('Predictions that it could not answer; they are in none of the other figures'),
  agreement: z.object({
    n: z.int().describe('Predictions that both have answered'),
    agree: z.int(),
    share: part,
    low: part.describe('Lower end of the 95 % interval of Wilson'),
    high: part,
  }),
  latency_ms: z
    .object({ primary: milliseconds, shadow: milliseconds })
    .describe('From the tensors to the outputs; the shadow waits behind every other request'),
  judged: z.object({
    n: z.int().describe('Of those, predictions with a true label'),
    both_right: z.int(),
    b: z.int().describe('The version that answered is right, the shadow is wrong'),
    c: z.int().describe('The shadow is right, the version that answered is wrong'),
    p: part.describe('Of the exact test of McNemar: how likely chance alone makes b and c differ so much'),
  }),
  disagreements: z.array(disagreement).describe('The newest 20'),
});

export const resultsSchema = z.object({
  model: z.string(),
  since: z.string(),
  shadow: shadow.nullable().describe('Null where the traffic of the model has no shadow'),
});
