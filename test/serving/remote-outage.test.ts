import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { writeGraph, writeMembers } from '../graphs/write-graph-models.ts';
import { writeRemote } from '../graphs/write-remote.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { startProcess } from '../helpers/process.ts';
import { postJson, startReadyServer, startTestServer } from '../helpers/server.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';

const body = { x: [[100, 30]] };
const scaled = { scaled: [[1, 3]] };

async function statusOf(address: string, path: string): Promise<number> {
  const response = await fetch(new URL(path, address));
  await response.arrayBuffer();
  return response.status;
}

async function stateOf(address: string, name: string) {
  const response = await fetch(new URL(`/models/${name}`, address));
  return (await response.json()) as { state: string; reason?: string };
}

describe('a remote that is down when the server starts', () => {
  it('never makes the server unready, and it and its graphs come by themselves when it is there', async () => {
    await using there = await temporaryFolder();
    await using here = await temporaryFolder();
    await writeMembers(there.path);
    await writeMembers(here.path);
    await using remote = await startReadyServer({ MODELS_DIR: there.path });
    await using proxy = await TcpProxy.start(new URL(remote.address));
    await proxy.become('refusing');
    await writeRemote(here.path, 'far', { urls: [proxy.url], model: 'scaler' });
    await writeGraph(here.path, 'flow', {
      steps: [
        { name: 'prepare', model: 'far' },
        { name: 'predict', model: 'tree', in: { scaled: 'prepare.scaled' } },
      ],
    });
    await using server = await startReadyServer({ MODELS_DIR: here.path });

    expect(await statusOf(server.address, '/health/ready')).toBe(200);
    expect(await stateOf(server.address, 'far')).toMatchObject({
      state: 'UNAVAILABLE',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await stateOf(server.address, 'flow')).toMatchObject({
      state: 'UNAVAILABLE',
      reason: expect.stringContaining('far'),
    });
    expect(await postJson(server.address, '/models/flow/predict', body)).toMatchObject({ status: 503 });

    const seen = new Set<string>();
    const watch = setInterval(async () => {
      seen.add(String(await statusOf(server.address, '/health/ready')));
      seen.add((await stateOf(server.address, 'far')).state);
    }, 20);
    await vi.waitUntil(() => seen.size > 1);
    await proxy.become('working');
    await vi.waitUntil(async () => (await stateOf(server.address, 'flow')).state === 'READY', { timeout: 15_000 });
    clearInterval(watch);
    expect([...seen].toSorted()).not.toContain('503');
    expect([...seen]).not.toContain('LOADING');
    expect(await postJson(server.address, '/models/far/predict', body)).toMatchObject({ status: 200, body: scaled });
    expect(await postJson(server.address, '/models/flow/predict', body)).toMatchObject({ status: 200 });
  });

  it('is no help for a remote.json that is wrong: that is a fault of this server', async () => {
    await using here = await temporaryFolder();
    await writeMembers(here.path);
    await writeRemote(here.path, 'far', { urls: ['http://127.0.0.1:1'], modell: 'scaler' });
    await using server = await startTestServer({ MODELS_DIR: here.path });
    await server.loaded;
    expect(await statusOf(server.address, '/health/ready')).toBe(503);
    expect(await stateOf(server.address, 'far')).toMatchObject({
      reason: expect.stringContaining('did you mean "model"?'),
    });
  });

  it('loads at once where the file says what the model takes and gives', async () => {
    await using here = await temporaryFolder();
    await writeMembers(here.path);
    const tensor = (name: string) => ({ name, datatype: 'FP32', shape: [-1, 2] });
    await writeRemote(here.path, 'far', {
      urls: ['http://127.0.0.1:1'],
      model: 'scaler',
      inputs: [tensor('x')],
      outputs: [tensor('scaled')],
    });
    await writeGraph(here.path, 'flow', {
      steps: [
        { name: 'prepare', model: 'far', fallback: 'scaler' },
        { name: 'predict', model: 'tree', in: { scaled: 'prepare.scaled' } },
      ],
    });
    await using server = await startReadyServer({ MODELS_DIR: here.path });
    expect(await postJson(server.address, '/models/flow/predict', body)).toMatchObject({ status: 200 });
    expect(await postJson(server.address, '/models/far/predict', body)).toMatchObject({
      status: 503,
      body: { code: 'REMOTE_UNREACHABLE' },
    });
    expect(await statusOf(server.address, '/health/ready')).toBe(200);
  });
});

describe('a remote that is killed under load', () => {
  it('is stood in for by the fallback within its budget, and serves again soon after its return', async () => {
    await using there = await temporaryFolder();
    await using here = await temporaryFolder();
    await writeMembers(there.path);
    await writeMembers(here.path);
    const remote = await startProcess({ MODELS_DIR: there.path });
    const port = new URL(remote.address).port;
    await writeRemote(here.path, 'far', { urls: [remote.address], model: 'scaler' });
    await writeGraph(here.path, 'flow', {
      steps: [
        { name: 'prepare', model: 'far', fallback: 'scaler', timeoutMs: 500 },
        { name: 'predict', model: 'tree', in: { scaled: 'prepare.scaled' } },
      ],
    });
    await using server = await startReadyServer({ MODELS_DIR: here.path });
    const load = startLoad(server.address);

    await vi.waitUntil(() => load.answers.length > 100);
    const killedAt = load.answers.length;
    remote.child.kill('SIGKILL');
    await remote.exit;
    await vi.waitUntil(() => load.answers.length > killedAt + 300, { timeout: 15_000 });
    expect(await statusOf(server.address, '/health/ready')).toBe(200);
    await vi.waitUntil(async () => (await stateOf(server.address, 'far')).state === 'UNAVAILABLE', { timeout: 5000 });
    expect(await statusOf(server.address, '/health/ready')).toBe(200);

    await using _back = await startProcess({ MODELS_DIR: there.path, PORT: port });
    const backAtMs = performance.now();
    await vi.waitUntil(async () => (await stateOf(server.address, 'far')).state === 'READY', { timeout: 10_000 });
    expect(performance.now() - backAtMs).toBeLessThan(2000);
    await load.stop();

    expect(new Set(load.answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(Math.max(...load.answers.map(({ ms }) => ms))).toBeLessThan(5000);
    expect(load.answers.slice(killedAt + 200, killedAt + 300).every(({ text }) => text === load.answers[0]?.text)).toBe(
      true,
    );
  });
});

/** Eight clients that ask one request after the other. */
function startLoad(address: string) {
  const answers: { status: number; ms: number; text: string }[] = [];
  let isOn = true;
  const clients = Array.from({ length: 8 }, async () => {
    while (isOn) {
      const startedMs = performance.now();
      const response = await fetch(new URL('/models/flow/predict', address), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      answers.push({ status: response.status, ms: performance.now() - startedMs, text });
    }
  });
  const stop = async () => {
    isOn = false;
    await Promise.all(clients);
  };
  return { answers, stop };
}

describe('a remote.json that changes while it serves', () => {
  it('stays what it was while the new server is away', async () => {
    await using there = await temporaryFolder();
    await using here = await temporaryFolder();
    await writeMembers(there.path);
    await using remote = await startReadyServer({ MODELS_DIR: there.path });
    await writeRemote(here.path, 'far', { urls: [remote.address], model: 'scaler' });
    await using server = await startReadyServer({ MODELS_DIR: here.path });
    await writeFile(
      join(here.path, 'far/1/remote.json'),
      JSON.stringify({ urls: ['http://127.0.0.1:1'], model: 'scaler' }),
    );
    const load = await fetch(new URL('/v2/repository/models/far/load', server.address), { method: 'POST' });
    expect(load.status).toBe(503);
    expect(await postJson(server.address, '/models/far/predict', body)).toMatchObject({ status: 200, body: scaled });
    await rm(join(here.path, 'far'), { recursive: true });
  });
});
