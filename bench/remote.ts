/**
 * What a server between costs: a model on another server of this machine, over HTTP and over gRPC, beside that server
 * itself. One request under way; the ways take turns, so that a busy machine is busy for all of them.
 *
 *   node bench/remote.ts [rounds]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { float, onnxModel } from '../test/helpers/onnx-model.ts';
import { HttpConnection } from './load/http-connection.ts';

const rounds = Number(process.argv[2] ?? 20);
const roundMs = 250;
const shape = [1, 3, 224, 224];

/** The mean of a picture: next to no time of its own, so that the way is all that is measured. */
const mean = onnxModel({
  inputs: { x: { element: float, shape: ['n', ...shape.slice(1)] } },
  outputs: { y: { element: float, shape: ['n'] } },
  nodes: [
    {
      op: 'ReduceMean',
      inputs: ['x'],
      outputs: ['y'],
      attributes: [
        { name: 'axes', ints: [1, 2, 3] },
        { name: 'keepdims', int: 0 },
      ],
    },
  ],
  opsets: { '': 13 },
});

interface BenchServer {
  readonly child: ChildProcess;
  readonly port: number;
  readonly grpcPort: number;
}

async function start(modelsDir: string): Promise<BenchServer> {
  const environment = { HOST: '127.0.0.1', PORT: '0', GRPC_PORT: '0', MODELS_DIR: modelsDir, STORAGE: 'off' };
  const child = spawn(process.execPath, ['src/main.ts', 'serve'], {
    cwd: new URL('..', import.meta.url).pathname,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const ports = /http:\S+?:(\d+) and by gRPC at port (\d+)/.exec(line);
    if (ports === null) continue;
    child.stdout.resume();
    return { child, port: Number(ports[1]), grpcPort: Number(ports[2]) };
  }
  throw new Error(`The server of ${modelsDir} has ended`);
}

function folderOf(name: string, remoteUrl?: string): string {
  const models = join(folder, name);
  for (const model of ['iris', 'mean']) {
    mkdirSync(join(models, model, '1'), { recursive: true });
    if (remoteUrl !== undefined) {
      writeFileSync(join(models, model, '1/remote.json'), JSON.stringify({ urls: [remoteUrl], model }));
    }
  }
  cpSync(new URL('../models/iris/model.json', import.meta.url), join(models, 'iris/model.json'));
  if (remoteUrl !== undefined) return models;
  cpSync(new URL('../models/iris/1/model.onnx', import.meta.url), join(models, 'iris/1/model.onnx'));
  writeFileSync(join(models, 'mean/1/model.onnx'), mean);
  return models;
}

function requestOf(path: string, body: Buffer, headers: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries({ host: 'bench', 'content-length': String(body.byteLength), ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head}\r\n`), body]);
}

const flower = { sepal_length: 5.9, sepal_width: 3.0, petal_length: 5.1, petal_width: 1.8 };
const bytes = 4 * shape.reduce((product, size) => product * size, 1);
const head = Buffer.from(
  JSON.stringify({
    inputs: [{ name: 'x', datatype: 'FP32', shape, parameters: { binary_data_size: bytes } }],
    parameters: { binary_data_output: true },
  }),
);
const requests = {
  tiny: requestOf('/iris/predict', Buffer.from(JSON.stringify(flower)), { 'content-type': 'application/json' }),
  '600 KB': requestOf('/v2/models/mean/infer', Buffer.concat([head, Buffer.alloc(bytes, 1)]), {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(head.byteLength),
  }),
};

/** The middle time of a request, in microseconds. */
async function measure(connection: HttpConnection, request: Buffer): Promise<number> {
  const times: number[] = [];
  const endMs = performance.now() + roundMs;
  while (performance.now() < endMs) {
    const startedMs = performance.now();
    const status = await connection.send(request);
    if (status !== 200) throw new Error(`status ${status}`);
    times.push(1000 * (performance.now() - startedMs));
  }
  return median(times);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** The middle of the ratios of the rounds, and the quarters around it. */
function ratio(ones: readonly number[], others: readonly number[]): string {
  const ratios = ones.map((one, round) => one / (others[round] ?? Number.NaN)).toSorted((a, b) => a - b);
  const at = (share: number) => (ratios[Math.floor(share * ratios.length)] ?? Number.NaN).toFixed(2);
  return `${at(0.5)} (${at(0.25)} to ${at(0.75)})`;
}

const folder = mkdtempSync(join(tmpdir(), 'inferd-bench-remote-'));
const direct = await start(folderOf('direct'));
const byHttp = await start(folderOf('http', `http://127.0.0.1:${direct.port}`));
const byGrpc = await start(folderOf('grpc', `grpc://127.0.0.1:${direct.grpcPort}`));
try {
  const connections = await Promise.all(
    [direct, byHttp, byGrpc].map(({ port }) => HttpConnection.open(port, '127.0.0.1')),
  );
  for (const [label, request] of Object.entries(requests)) {
    for (const connection of connections) await measure(connection, request);
    const times: number[][] = connections.map(() => []);
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, connection] of connections.entries()) times[index]?.push(await measure(connection, request));
    }
    const [alone = [], http = [], grpc = []] = times;
    const micros = times.map((values) => median(values).toFixed(0));
    process.stdout.write(
      `${label}, p50 in µs: direct ${micros[0]}, HTTP ${micros[1]}, gRPC ${micros[2]}\n` +
        `  HTTP ÷ direct ${ratio(http, alone)} (bar ${label === 'tiny' ? 2.2 : 1.7})\n` +
        `  gRPC ÷ HTTP ${ratio(grpc, http)} (bar 1.2)\n`,
    );
  }
  for (const connection of connections) connection.close();
} finally {
  for (const { child } of [direct, byHttp, byGrpc]) child.kill();
  rmSync(folder, { recursive: true });
}
