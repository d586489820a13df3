import { z } from 'zod';

const document = z.object({ split: z.record(z.string(), z.number()), stick: z.array(z.string()) });
const author = z.object({ name: z.string() });

const trafficState = z.object({
  source: z.enum(['stored', 'model.json', 'none']),
  traffic: document.optional(),
  etag: z.string().optional(),
  changed_at: z.string().optional(),
  changed_by: author.nullish(),
});

const trafficEvent = z.object({
  at: z.string(),
  who: author.nullable(),
  from: document.nullable(),
  to: document.nullable(),
  why: z.string().nullable(),
});

const trafficEvents = z.object({ events: z.array(trafficEvent) });
const problem = z.object({ detail: z.string() });

export type Document = z.output<typeof document>;
export type TrafficState = z.output<typeof trafficState>;
export type TrafficEvent = z.output<typeof trafficEvent>;

/** The server has refused something, or is none that this program knows. */
export class TrafficRefused extends Error {
  override readonly name = 'TrafficRefused';
}

/** The routes of one server for the traffic of one model. Every call throws {@link TrafficRefused}, or what `fetch` does. */
export class TrafficServer {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, model: string, apiKey: string | undefined) {
    this.#url = `${url.replace(/\/+$/, '')}/models/${encodeURIComponent(model)}/traffic`;
    this.#headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  }

  async state(): Promise<TrafficState> {
    return trafficState.parse(await this.#ask('GET', ''));
  }

  /** The newest first. */
  async events(limit: number): Promise<readonly TrafficEvent[]> {
    return trafficEvents.parse(await this.#ask('GET', `/events?limit=${limit}`)).events;
  }

  /** Stores a split in place of a state, or ends what is stored; refused where the state is another one by now. */
  async change(
    { etag }: TrafficState,
    settings: Partial<Document> | undefined,
    why: string | undefined,
  ): Promise<TrafficState> {
    const headers = etag === undefined ? {} : { 'if-match': `"${etag}"` };
    if (settings !== undefined) {
      const body = JSON.stringify({ ...settings, why });
      return trafficState.parse(await this.#ask('PUT', '', { headers, body }));
    }
    const query = why === undefined ? '' : `?${new URLSearchParams({ why })}`;
    return trafficState.parse(await this.#ask('DELETE', query, { headers }));
  }

  async #ask(
    method: string,
    path: string,
    { headers = {}, body }: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
  ): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { ...this.#headers, ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    if (response.ok) return JSON.parse(text);
    throw new TrafficRefused(detailOf(text) ?? `the server answered ${response.status}`);
  }
}

function detailOf(text: string): string | undefined {
  try {
    return problem.parse(JSON.parse(text)).detail;
  } catch {
    return undefined;
  }
}
