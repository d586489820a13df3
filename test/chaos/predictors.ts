import { setTimeout as delay } from 'node:timers/promises';
import { smallOrder } from './submitters.ts';

/** How those fared who waited for predictions, and who asked for the health of the server. */
export interface Predictions {
  answered: number;
  slowestMs: number;
  /** Answers that were not 200. */
  readonly failed: string[];
}

const intervalMs = 50;

/** Predicts and asks for readiness again and again, until the returned function is called. */
export function predict(address: string, into: Predictions): () => Promise<void> {
  let isStopping = false;
  const go = async () => {
    while (!isStopping) {
      const startedMs = performance.now();
      await Promise.all([
        expectOk(into, '/iris/predict', () => post(new URL('/iris/predict', address))),
        expectOk(into, '/health/ready', () => fetch(new URL('/health/ready', address))),
      ]);
      into.answered += 1;
      into.slowestMs = Math.max(into.slowestMs, performance.now() - startedMs);
      await delay(intervalMs);
    }
  };
  const going = go();
  return () => {
    isStopping = true;
    return going;
  };
}

function post(url: URL): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: smallOrder.body });
}

async function expectOk({ failed }: Predictions, what: string, ask: () => Promise<Response>): Promise<void> {
  try {
    const response = await ask();
    const text = await response.text();
    if (response.status !== 200) failed.push(`${what}: ${response.status} ${text}`);
  } catch (thrown) {
    failed.push(`${what}: ${thrown}`);
  }
}
