import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { examine } from '../../src/conformance/conformance.ts';
import { allChecks } from '../../src/conformance/suite.ts';
import { startReadyServer } from '../helpers/server.ts';
import { faultyServers } from './faults.ts';
import { startProtocolServer } from './protocol-server.ts';

const failures = (results: Awaited<ReturnType<typeof examine>>) =>
  results.filter(({ verdict }) => verdict === 'fails').map(({ id, model, reason }) => `${id} [${model}]: ${reason}`);

describe('the conformance checks', () => {
  it('all hold for inferd', async () => {
    await using server = await startReadyServer();
    const results = await examine(new URL(server.address), { mayControl: true });
    expect(failures(results)).toEqual([]);
    expect(new Set(results.flatMap(({ model }) => model ?? []))).toEqual(
      new Set(['digits', 'iris', 'sentiment', 'titanic']),
    );
    const held = new Set(results.filter(({ verdict }) => verdict === 'holds').map(({ id }) => id));
    expect(allChecks.map(({ id }) => id).filter((id) => !held.has(id))).toEqual([]);
  });

  it('all hold for a second server of the protocol', async () => {
    await using server = await startProtocolServer();
    const results = await examine(server.address, { mayControl: true });
    expect(failures(results)).toEqual([]);
    const held = new Set(results.filter(({ verdict }) => verdict === 'holds').map(({ id }) => id));
    expect(allChecks.map(({ id }) => id).filter((id) => !held.has(id))).toEqual([]);
  });

  it.each(faultyServers)('see that a server $name', async ({ middle, breaks }) => {
    await using server = await startProtocolServer(middle());
    const results = await examine(server.address, { mayControl: true, timeoutMs: 5000 });
    const failed = new Set(results.filter(({ verdict }) => verdict === 'fails').map(({ id }) => id));
    expect(breaks.filter((id) => !failed.has(id))).toEqual([]);
  });

  it('can each fail', () => {
    const broken = new Set(faultyServers.flatMap(({ breaks }) => breaks));
    expect(allChecks.map(({ id }) => id).filter((id) => !broken.has(id))).toEqual([]);
  });

  it('have names of their own', () => {
    const ids = allChecks.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('leave models alone unless they are allowed to unload them', async () => {
    const paths: string[] = [];
    await using server = await startProtocolServer({
      request(seen) {
        paths.push(seen.path);
        return seen;
      },
    });
    await examine(server.address);
    expect(paths.filter((path) => /load$/.test(path))).toEqual([]);
  });

  it('fail, and do not hang, where connections are cut', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/v2') response.end('{}');
      else request.socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const results = await examine(new URL(`http://127.0.0.1:${port}`), { model: 'x' }).catch((error) => error);
    server.close();
    expect(String(results)).toMatch(/ECONNRESET|hang up/);
  });
});
