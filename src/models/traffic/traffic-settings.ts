import { z } from 'zod';

const version = z.string().regex(/^[1-9][0-9]{0,18}$/, 'expected the number of a version');

const stickExpectation = 'expected "key" or "header:<name in small letters>"';

const stick = z
  .union([z.literal('key'), z.string().regex(/^header:[a-z0-9-]{1,128}$/, stickExpectation)], stickExpectation)
  .describe('What keeps to its version: a header, or the API key');

const split = z
  .record(version, z.number().min(0).max(1_000_000), {
    error: ({ code }) => (code === 'invalid_key' ? 'expected the number of a version' : undefined),
  })
  .refine((weights) => Object.values(weights).some((weight) => weight > 0), 'expected a weight above 0')
  .refine((weights) => Object.keys(weights).length <= 16, 'expected at most 16 versions')
  .describe('Weight by version, such as {"1": 90, "2": 10}');

const shadow = z
  .strictObject({
    version: z
      .union([z.int().min(1), version], 'expected the number of a version')
      .transform(String)
      .describe('Gets a copy of requests that other versions have answered'),
    share: z.number().min(0).max(1).default(1).describe('Part of the requests that is copied, from 0 to 1'),
    maxBytes: z
      .int()
      .min(1)
      .max(2 ** 30)
      .default(1024 * 1024)
      .describe('Largest inputs that are copied, in bytes'),
    tolerance: z
      .number()
      .min(0)
      .max(1)
      .default(0.001)
      .describe('How far floats may be apart to agree, for those beyond 1 as a part of them'),
  })
  .describe('A version that is tried on what others answer; nobody gets its answers');

const sticks = z
  .array(stick)
  .min(1)
  .max(8)
  .default(['header:x-routing-key', 'key'])
  .describe('The first that a request has decides; without one, the id of the request does');

/** Which versions answer requests that name none. */
export const splitSettings = z.strictObject({ split, stick: sticks });

export type SplitSettings = z.output<typeof splitSettings>;

/** `traffic` of `model.json`: which versions answer requests that name none, and which one is tried beside them. */
export const trafficSettings = z
  .strictObject({ split: split.exactOptional(), shadow: shadow.exactOptional(), stick: sticks })
  .refine((traffic) => traffic.split !== undefined || traffic.shadow !== undefined, 'expected split or shadow');

export type TrafficSettings = z.output<typeof trafficSettings>;

export type ShadowSettings = NonNullable<TrafficSettings['shadow']>;
