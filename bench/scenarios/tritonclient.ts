import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { folders } from '../options.ts';
import { addFigure, type Round, type Session, workloadOf } from './session.ts';

const python = path.join(folders.python, 'tritonclient', 'bin', 'python');
const script = path.join(folders.bench, 'peers', 'tritonclient_load.py');
/** More would only queue: the client is one Python process. */
const connections = 8;

const loadResult = z.object({ requestsPerSecond: z.number(), p50Ms: z.number(), p99Ms: z.number() });

/** The fastest ways by which Triton's client can send a picture of 600 KB to each of them. */
const protocols = { inferd: ['http-binary'], mlserver: ['http-json', 'grpc'] } as const;

/** The workload binary as Triton's own client sends it, to inferd and to MLServer. */
export async function measureTritonclient(round: Round, { contestant, server }: Session): Promise<void> {
  const { name } = contestant;
  if (name !== 'inferd' && name !== 'mlserver') return;
  if (workloadOf(round, 'binary') === undefined || !existsSync(python)) return;
  for (const protocol of protocols[name]) {
    const { requestsPerSecond, p50Ms, p99Ms } = await load(round, protocol, server.url);
    addFigure(round, `tritonclient.${name}.${protocol}.requestsPerSecond`, requestsPerSecond);
    addFigure(round, `tritonclient.${name}.${protocol}.p50Ms`, p50Ms);
    addFigure(round, `tritonclient.${name}.${protocol}.p99Ms`, p99Ms);
  }
}

async function load({ options }: Round, protocol: string, url: string) {
  const { hostname, port } = new URL(url);
  // MLServer's gRPC listens at the next port; see peers/mlserver_settings.py.
  const address = `${hostname}:${protocol === 'grpc' ? Number(port) + 1 : port}`;
  const { seconds, warmupSeconds } = options;
  const args = [script, protocol, address, String(seconds), String(warmupSeconds), String(connections)];
  const { stdout } = await promisify(execFile)(python, args);
  return loadResult.parse(JSON.parse(stdout));
}
