import path from 'node:path';
import { jsonPost } from '../load/http-request.ts';
import { folders } from '../options.ts';
import { irisFlower, nestedRow } from '../workloads.ts';
import type { Contestant } from './contestant.ts';
import { openInferenceJson } from './open-inference.ts';
import { type PythonPeer, pythonPeer } from './python-peer.ts';

const jsonWorkloads = ['tiny', 'mid', 'heavy'] as const;

const uvicorn = (app: string) => (where: { port: number; cores: number }) => ({
  program: 'uvicorn',
  args: [
    ...[app, '--host', '127.0.0.1', '--port', String(where.port), '--workers', String(where.cores)],
    ...['--loop', 'uvloop', '--http', 'httptools', '--no-access-log', '--log-level', 'warning'],
  ],
});

const fastapi: PythonPeer = {
  name: 'fastapi',
  settings: 'uvicorn, a worker a core, uvloop, httptools, orjson, no validation, no access log',
  readyPath: '/ready',
  workloads: jsonWorkloads,
  request: (workload, row) => jsonPost(`/${workload.name}`, { [workload.inputName]: nestedRow(workload, row) }),
  command: uvicorn('fastapi_app:app'),
};

const fastapiTyped: PythonPeer = {
  name: 'fastapi-typed',
  environment: 'fastapi',
  settings: 'the same, with typed fields that pydantic validates and a typed answer, as inferd has',
  readyPath: '/ready',
  workloads: ['tiny'],
  request: (_workload, row) => jsonPost('/iris/predict', irisFlower(row)),
  command: uvicorn('fastapi_typed_app:app'),
};

const bentoml: PythonPeer = {
  name: 'bentoml',
  settings: 'a worker a core, batchable with its adaptive batcher, numpy in and out, no access log, no metrics',
  readyPath: '/readyz',
  workloads: jsonWorkloads,
  request: (workload, row) => jsonPost(`/${workload.name}`, { rows: nestedRow(workload, row) }),
  command: ({ port }) => ({
    program: 'bentoml',
    args: ['serve', 'bentoml_service:Peer', '--host', '127.0.0.1', '--port', String(port)],
    env: { BENTOML_DO_NOT_TRACK: 'True', BENTOML_HOME: path.join(folders.cache, 'bentoml') },
  }),
};

const mlserverFolder = path.join(folders.cache, 'mlserver');

const mlserver: PythonPeer = {
  name: 'mlserver',
  settings: 'inference in the server process, adaptive batching, no metrics, no access log',
  readyPath: '/v2/health/ready',
  workloads: [...jsonWorkloads, 'binary'],
  // Over HTTP it reads tensors in JSON only; the binary data extension is not there.
  request: openInferenceJson,
  prepare: ({ port }) => ({
    program: 'python',
    args: [path.join(folders.bench, 'peers', 'mlserver_settings.py'), mlserverFolder, String(port)],
  }),
  command: () => ({ program: 'mlserver', args: ['start', mlserverFolder] }),
};

const litserve: PythonPeer = {
  name: 'litserve',
  settings: 'an API server and an inference worker a core, batched, fast queue, no access log',
  readyPath: '/health',
  workloads: jsonWorkloads,
  request: (workload, row) => jsonPost(`/${workload.name}`, { [workload.inputName]: nestedRow(workload, row) }),
  command: ({ port, cores }) => ({ program: 'python', args: ['litserve_app.py', String(port), String(cores)] }),
};

/** All Python peers, installed or not. */
export const peers: readonly Contestant[] = [fastapi, fastapiTyped, bentoml, mlserver, litserve].map((peer) =>
  pythonPeer(peer),
);
