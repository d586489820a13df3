import { z } from 'zod';

const version = z.string().regex(/^[1-9][0-9]{0,18}$/, 'expected the number of a version');

const stickExpectation = 'expected "key" or "header:<name in small letters>"';

const stick = z
  .union([z.literal('key'), z.string().regex(/^header:[a-z0-9-]{1,128}$/, stickExpectation)], stickExpectation)
  .describe('What keeps to its version: a header, or the API key');

/** `traffic` of `model.json`: which versions answer requests that name none. */
export const trafficSettings = z.strictObject({
  split: z
    .record(version, z.number().min(0).max(1_000_000), {
      error: ({ code }) => (code === 'invalid_key' ? 'expected the number of a version' : undefined),
    })
    .refine((weights) => Object.values(weights).some((weight) => weight > 0), 'expected a weight above 0')
    .refine((weights) => Object.keys(weights).length <= 16, 'expected at most 16 versions')
    .describe('Weight by version, such as {"1": 90, "2": 10}'),
  stick: z
    .array(stick)
    .min(1)
    .max(8)
    .default(['header:x-routing-key', 'key'])
    .describe('The first that a request has decides; without one, the id of the request does'),
});

export type TrafficSettings = z.output<typeof trafficSettings>;
