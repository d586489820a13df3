import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { encodeRequest, type HttpRequest } from './http-request.ts';

export interface ClosedLoop {
  readonly url: string;
  /** Sent in turn, so that no reply can come from a cache. */
  readonly requests: readonly HttpRequest[];
  readonly connections: number;
  readonly seconds: number;
}

export interface ClosedLoopResult {
  /** Requests with a reply, of whatever status. */
  readonly replies: number;
  /** Replies of status 2xx or 3xx only. */
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Replies of another status, and requests without a reply. */
  readonly failed: number;
}

const wrkResult = z.object({
  requests: z.number(),
  durationUs: z.number(),
  refused: z.number(),
  broken: z.number(),
  p50Us: z.number(),
  p99Us: z.number(),
});

const script = fileURLToPath(new URL('wrk.lua', import.meta.url));

/** Runs wrk: each connection sends its next request when its last one is answered. */
export async function closedLoop({ url, requests, connections, seconds }: ClosedLoop): Promise<ClosedLoopResult> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'inferd-bench-'));
  try {
    const files = requests.map((request, index) => {
      const file = path.join(folder, `${index}.http`);
      writeFileSync(file, encodeRequest(request, new URL(url).host));
      return file;
    });
    // wrk takes whole seconds only.
    const duration = `${Math.ceil(seconds)}s`;
    // One thread: wrk needs little, and the cores belong to the servers.
    const output = await run('wrk', [
      '-t1',
      `-c${connections}`,
      `-d${duration}`,
      '--timeout',
      '30s',
      '-s',
      script,
      url,
      '--',
      ...files,
    ]);
    return readResult(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readResult(output: string): ClosedLoopResult {
  const json = /RESULT (.*)/.exec(output)?.[1];
  if (json === undefined) throw new Error(`wrk gave no result:\n${output}`);
  const result = wrkResult.parse(JSON.parse(json));
  return {
    replies: result.requests,
    requestsPerSecond: (result.requests - result.refused) / (result.durationUs / 1e6),
    p50Ms: result.p50Us / 1000,
    p99Ms: result.p99Us / 1000,
    failed: result.refused + result.broken,
  };
}

function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${command} ended with ${code}:\n${output}`)),
    );
  });
}
