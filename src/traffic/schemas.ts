import { z } from 'zod';
import { queryNumber } from '../http/terms/query-number.ts';
import { splitSettings } from '../models/traffic/traffic-settings.ts';
import { storableText } from '../storage/storable-text.ts';

export const trafficParams = z.object({ name: z.string() });

const why = storableText(1000).describe('For people: it stands in the events');

/** The split of `traffic` in `model.json`, and why it is stored. A shadow stays that of `model.json`. */
export const trafficBody = splitSettings.extend({ why: why.optional() });

export const removeQuery = z.strictObject({ why: why.optional() });

export const eventsQuery = z.strictObject({
  limit: queryNumber(z.number().int().min(1).max(1000)).default(20),
});

const document = z.object({
  split: z.record(z.string(), z.number()).describe('Weight by version'),
  stick: z.array(z.string()).describe('What keeps to its version'),
});

const holding = document.partial({ split: true }).extend({
  shadow: z.looseObject({ version: z.string() }).optional().describe('The version that is tried beside the others'),
});

const author = z.object({ id: z.string(), name: z.string() }).describe('An API key');

export const trafficState = z.object({
  source: z
    .enum(['stored', 'model.json', 'none'])
    .describe('Where it comes from; none: the highest version answers that can'),
  traffic: holding.optional().describe('How requests that name no version are split'),
  etag: z.string().optional().describe('As the header `etag`, for `If-Match`; absent where nothing is stored'),
  changed_at: z.string().optional().describe('When it was stored'),
  changed_by: author.nullable().optional().describe('Who has stored it; null: there were no keys'),
});

export type TrafficState = z.input<typeof trafficState>;

export const trafficEvents = z.object({
  events: z
    .array(
      z.object({
        id: z.string(),
        at: z.string(),
        who: author.nullable().describe('null: there were no keys'),
        from: document.nullable().describe('What was stored before; null: nothing'),
        to: document.nullable().describe('What is stored from then on; null: nothing'),
        why: z.string().nullable(),
      }),
    )
    .describe('Changes of what is stored, the newest first'),
});

export type TrafficEvents = z.input<typeof trafficEvents>;

/** An author or a document of a row, as this or another release has written it. */
export const storedAuthor = author.nullable().catch(null);
export const storedDocument = document.nullable().catch(null);
