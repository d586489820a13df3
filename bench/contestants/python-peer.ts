import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { HttpRequest } from '../load/http-request.ts';
import { type ContestantName, folders } from '../options.ts';
import type { Workload } from '../workloads.ts';
import type { Contestant, Setting } from './contestant.ts';
import { freePort, startServer } from './server-process.ts';

/** A command, its programs taken from the peer's own environment. */
export interface PeerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface PythonPeer {
  readonly name: ContestantName;
  /** Folder of its Python environment. @default its name */
  readonly environment?: string;
  readonly settings: string;
  readonly readyPath: string;
  readonly workloads: readonly Workload['name'][];
  request(workload: Workload, row: Float32Array): HttpRequest;
  /** What must run to its end before the start. */
  prepare?(where: { port: number }): PeerCommand;
  command(where: { port: number; cores: number }): PeerCommand;
}

const scripts = path.join(folders.bench, 'peers');

/** A model server in Python, from an environment that `peers/install.sh` made. */
export function pythonPeer(peer: PythonPeer): Contestant {
  const bin = path.join(folders.python, peer.environment ?? peer.name, 'bin');
  return {
    name: peer.name,
    settings: peer.settings,
    peer: true,
    missing: () => (existsSync(path.join(bin, 'python')) ? undefined : 'not installed: run bench/peers/install.sh'),
    serves: (workload) => peer.workloads.includes(workload.name),
    requests: (workload) => workload.rows.map((row) => peer.request(workload, row)),
    async start(setting) {
      const port = await freePort();
      const env = peerEnvironment(peer, setting);
      const first = peer.prepare?.({ port });
      if (first) execFileSync(path.join(bin, first.program), first.args, { env: { ...process.env, ...env } });
      const { program, args, env: own } = peer.command({ port, cores: setting.cores });
      return startServer({
        name: peer.name,
        command: path.join(bin, program),
        args,
        env: { ...env, ...own },
        cwd: scripts,
        port,
        readyPath: peer.readyPath,
      });
    },
  };
}

function peerEnvironment(peer: PythonPeer, { workloads, modelFiles, cores }: Setting): Record<string, string> {
  const served = workloads.filter((workload) => peer.workloads.includes(workload.name));
  return {
    BENCH_MODELS: JSON.stringify(Object.fromEntries(served.map(({ name }) => [name, modelFiles[name]]))),
    BENCH_CORES: String(cores),
    PYTHONPATH: scripts,
    PYTHONDONTWRITEBYTECODE: '1',
  };
}
