import { randomNumbers } from '../../src/tensor/random-numbers.ts';
import { type FuzzedServer, startServerProcess } from './server-process.ts';
import { type ShapedRequest, shapedRequest } from './shapes.ts';

/** What a single request of at most a mebibyte may do. */
const bounds = {
  /** Longest stall of the event loop, in milliseconds. */
  stallMs: 100,
  /** Memory beyond that before it and its own size, in bytes. */
  memoryBytes: 64 * 2 ** 20,
  /** Largest answer that is an error, in bytes. */
  errorBytes: 2 ** 20,
};

export interface ShapeFuzzOptions {
  readonly modelsDir: string;
  readonly seed: number;
  readonly count: number;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Settings of the server. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What a request has done to the server. */
interface Effect {
  readonly status: number;
  readonly answerBytes: number;
  readonly stallMs: number;
  readonly memoryBytes: number;
}

/**
 * Sends requests that are large in some way, one after the other, and measures what each does to the server. Tells whether
 * all of them stayed within the bounds. What seems beyond is sent again: another program may have held up the machine.
 */
export async function fuzzShapes(options: ShapeFuzzOptions): Promise<boolean> {
  await using server = await startServerProcess(options.modelsDir, options.environment);
  const faults: string[] = [];
  const worst = { stallMs: 0, memoryBytes: 0, errorBytes: 0 };
  const statuses = new Map<number, number>();
  for (let number = 0; number < options.count && faults.length < 20; number += 1) {
    const request = shapedRequest(randomNumbers(options.seed * 1_000_003 + number));
    let effect = await measure(server, request, options.headers);
    for (let again = 0; again < 2 && faultOf(request, effect) !== undefined; again += 1) {
      effect = least(effect, await measure(server, request, options.headers));
    }
    statuses.set(effect.status, (statuses.get(effect.status) ?? 0) + 1);
    worst.stallMs = Math.max(worst.stallMs, effect.stallMs);
    worst.memoryBytes = Math.max(worst.memoryBytes, effect.memoryBytes - request.body.byteLength);
    if (effect.status >= 400) worst.errorBytes = Math.max(worst.errorBytes, effect.answerBytes);
    const fault = faultOf(request, effect);
    if (fault !== undefined) faults.push(`request ${number}, ${request.path}, ${request.what}: ${fault}`);
    const exit = server.exit();
    if (exit !== undefined) {
      faults.push(`request ${number} ended the server: ${exit}`);
      break;
    }
  }
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  process.stdout.write(
    `Shapes: ${[...statuses]
      .sort()
      .map(([status, count]) => `${count} × ${status}`)
      .join(', ')}; ` +
      `longest stall ${worst.stallMs.toFixed(0)} ms, most memory ${(worst.memoryBytes / 2 ** 20).toFixed(0)} MB beyond its size, ` +
      `largest error ${(worst.errorBytes / 1024).toFixed(0)} kB\n`,
  );
  return faults.length === 0;
}

async function measure(
  server: FuzzedServer,
  { path, headers, body }: ShapedRequest,
  more: Readonly<Record<string, string>> = {},
): Promise<Effect> {
  const before = await server.watch();
  const response = await fetch(new URL(path, server.address), {
    method: 'POST',
    headers: { ...headers, ...more },
    body: new Uint8Array(body),
  }).catch(() => undefined);
  // An answer that breaks off, as to a body that is not read to its end, has no size.
  const answerBytes = (await response?.arrayBuffer().catch(() => undefined))?.byteLength ?? 0;
  const { stallMs, peakBytes } = await server.watch();
  return { status: response?.status ?? 0, answerBytes, stallMs, memoryBytes: peakBytes - before.residentBytes };
}

function least(a: Effect, b: Effect): Effect {
  return {
    ...b,
    stallMs: Math.min(a.stallMs, b.stallMs),
    memoryBytes: Math.min(a.memoryBytes, b.memoryBytes),
  };
}

function faultOf({ body }: ShapedRequest, { status, answerBytes, stallMs, memoryBytes }: Effect): string | undefined {
  if (status >= 500 && status !== 503 && status !== 504) return `answered ${status}`;
  if (stallMs > bounds.stallMs) return `held up the event loop for ${stallMs.toFixed(0)} ms`;
  if (status >= 400 && answerBytes > bounds.errorBytes) return `an error of ${answerBytes} bytes`;
  const beyond = memoryBytes - body.byteLength;
  if (beyond > bounds.memoryBytes)
    return `took ${(beyond / 2 ** 20).toFixed(0)} MB beyond its ${body.byteLength} bytes`;
  return undefined;
}
