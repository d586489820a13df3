import { pino } from 'pino';
import type { AnyDomain } from '../../src/domains/define-domain.ts';
import { createDigits } from '../../src/domains/digits/digits.ts';
import { iris } from '../../src/domains/iris/iris.ts';
import { sentiment } from '../../src/domains/sentiment/sentiment.ts';
import { titanic } from '../../src/domains/titanic/titanic.ts';
import type { SpawnRunner } from '../../src/inference/runner/spawn-runner.ts';
import { type StartedServer, startServer } from '../../src/lifespan.ts';
import { readSettings } from '../../src/settings.ts';
import { shippedModelsDir } from './folder.ts';
import { localRunners } from './local-runner.ts';

export const shippedDomains: readonly AnyDomain[] = [iris, titanic, createDigits(), sentiment];

export interface TestServer extends StartedServer, AsyncDisposable {
  /** Every line that the server has logged. */
  readonly logLines: readonly Record<string, unknown>[];
}

export interface TestServerOptions {
  /** Starts the runners of the models. @default in the process of the test */
  readonly spawnRunner?: SpawnRunner;
}

/** A server on a free port, with the settings of `environment`; it stops at the end of the scope. */
export async function startTestServer(
  environment: Record<string, string> = {},
  domains: readonly AnyDomain[] = shippedDomains,
  { spawnRunner = localRunners() }: TestServerOptions = {},
): Promise<TestServer> {
  const logLines: Record<string, unknown>[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void logLines.push(JSON.parse(line)) });
  const settings = readSettings({
    HOST: '127.0.0.1',
    PORT: '0',
    MODELS_DIR: shippedModelsDir,
    STORAGE: 'off',
    ...environment,
  });
  const server = await startServer(settings, {
    domains,
    log,
    version: '0.0.0-test',
    spawnRunner,
  });
  return { ...server, logLines, [Symbol.asyncDispose]: () => server.stop() };
}

/** A server whose models have all been loaded. */
export async function startReadyServer(...options: Parameters<typeof startTestServer>): Promise<TestServer> {
  const server = await startTestServer(...options);
  await server.loaded;
  return server;
}

/** Sends a body as JSON and gives status, headers and the parsed answer. */
export async function postJson(address: string, path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(new URL(path, address), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}
