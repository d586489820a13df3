import { late, overloaded, refused, saidBy, unusable } from '../failures.ts';
import type { RemoteFailure } from '../remote-failure.ts';
import type { HttpAnswer } from './exchange.ts';

/** What an answer that is not 200 stands for. */
export function answerFailure({ status, headers, bytes }: HttpAnswer): RemoteFailure {
  const said = messageOf(bytes);
  switch (status) {
    case 400:
    case 422:
      return refused(said);
    case 429:
    case 503:
      return overloaded(said, secondsOf(headers.get('retry-after')));
    case 504:
      return late();
    default: {
      const text = saidBy(said);
      return unusable(`status ${status}${text === undefined ? '' : `, ${text}`}`);
    }
  }
}

function secondsOf(value: string | null): number | undefined {
  const seconds = value === null || value.trim() === '' ? Number.NaN : Number(value);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

/** The message of `{"error": "…"}`, or of a problem; undefined for another body, as a proxy before the server may send it. */
function messageOf(bytes: Uint8Array): string | undefined {
  try {
    const body: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof body !== 'object' || body === null) return undefined;
    const { error, detail, message }: { error?: unknown; detail?: unknown; message?: unknown } = body;
    return [error, detail, message].find((text) => typeof text === 'string');
  } catch {
    return undefined;
  }
}
