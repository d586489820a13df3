import { Readable } from 'node:stream';
import { z } from 'zod';
import { predictionPages } from '../../predictions/prediction-pages.ts';
import { readKept } from '../../predictions/recording/kept-text.ts';
import { predictionText } from '../../predictions/recording/prediction-text.ts';
import type { LoggedPrediction } from '../../predictions/replay/replay.ts';
import { predictionSchema } from '../../predictions/schemas.ts';
import { parseMoment } from '../../predictions/time-window.ts';
import type { Settings } from '../../settings.ts';
import { Storage } from '../../storage/storage.ts';
import { readJsonLines } from '../../tabular/json-lines.ts';
import { systemClock } from '../../timing/clock.ts';

/** Which predictions are replayed. */
export interface ReplayQuestion {
  readonly model: string;
  /** As `GET /predictions` takes them. */
  readonly since: string;
  readonly until?: string | undefined;
  /** Only predictions that this version has answered. */
  readonly fromVersion?: string | undefined;
  readonly limit: number;
}

/**
 * The predictions that a server has kept, by its export.
 *
 * @throws Error with a message for people when the server does not give them
 */
export async function* predictionsOfServer(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { model, since, until, fromVersion, limit }: ReplayQuestion,
): AsyncGenerator<LoggedPrediction> {
  const address = new URL('predictions/export', url.href.endsWith('/') ? url : `${url.href}/`);
  const query = { format: 'jsonl', status: 'OK', model, since, until, version: fromVersion, limit: String(limit) };
  for (const [name, value] of Object.entries(query)) if (value !== undefined) address.searchParams.set(name, value);
  const response = await fetch(address, { headers }).catch((thrown: unknown) => {
    throw new Error(`${address.origin} cannot be reached: ${reasonOf(thrown)}`, { cause: thrown });
  });
  if (!response.ok || response.body === null) {
    throw new Error(`${address.origin} answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
  }
  // Its own types of web streams and those of Node.js are the same streams.
  for await (const line of readJsonLines(Readable.fromWeb(response.body))) yield readLogged(line);
}

/** What `fetch` throws says only that it failed; the reason is its cause. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause instanceof Error ? thrown.cause.message : thrown.message;
}

/** @throws AppError `STORAGE_UNAVAILABLE` when the database cannot be opened */
export async function* predictionsOfStorage(
  settings: Settings,
  { model, since, until, fromVersion, limit }: ReplayQuestion,
): AsyncGenerator<LoggedPrediction> {
  const failed = Promise.withResolvers<never>();
  const warn = ({ err }: { err?: unknown }) => failed.reject(err);
  const storage = new Storage(settings, { clock: systemClock, log: { info: () => {}, warn } });
  try {
    storage.start();
    await Promise.race([storage.whenReady(), failed.promise]);
    const nowMs = Date.now();
    const sinceMs = parseMoment(since, nowMs);
    const untilMs = until === undefined ? undefined : parseMoment(until, nowMs);
    const filter = { model, status: 'OK', version: fromVersion, sinceMs, untilMs };
    for await (const page of predictionPages(storage, filter, limit))
      yield* page.map((row) => readLogged(predictionText(row)));
  } finally {
    await storage.close();
  }
}

const kept = predictionSchema
  .pick({ id: true, domain: true, inputs: true, outputs: true, phases: true, feedback: true })
  // A server that is older keeps none.
  .extend({ options: z.record(z.string(), z.unknown()).nullish() });

function readLogged(text: string): LoggedPrediction {
  return kept.parse(readKept(text));
}
