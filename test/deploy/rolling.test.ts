import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { temporaryRepository } from '../helpers/folder.ts';
import { isAlive, runnerPids, startProcess } from '../helpers/process.ts';
import { postJson } from '../helpers/server.ts';
import { startNginx } from './nginx.ts';

const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const clients = 8;
const rounds = 2;

/** Ports that were free a moment ago; a restarted instance has to come back at the same one. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Clients that send without a pause until they are told to stop; gives how often each answer came. */
function constantLoad(address: string) {
  const answers = new Map<string, number>();
  let isOver = false;
  const client = async () => {
    while (!isOver) {
      const answer = await postJson(address, '/iris/predict', flower).then(
        ({ status, body }) => `${status} ${(body as { species?: string }).species ?? JSON.stringify(body)}`,
        (error: unknown) => `failed: ${String(error)}`,
      );
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  };
  const running = Array.from({ length: clients }, client);
  const stop = async () => {
    isOver = true;
    await Promise.all(running);
    return Object.fromEntries(answers);
  };
  return { stop, count: () => answers.values().reduce((sum, one) => sum + one, 0) };
}

describe('a rolling restart of two instances behind nginx', () => {
  it('under constant load loses no request', { timeout: 180_000 }, async () => {
    await using repository = await temporaryRepository('iris');
    const [nginxPort = 0, ...ports] = await freePorts(3);
    const environment = (port: number) => ({
      MODELS_DIR: repository.path,
      PORT: String(port),
      DRAIN_DELAY_MS: '500',
      LOG_LEVEL: 'info',
    });
    const instances = await Promise.all(ports.map((port) => startProcess(environment(port))));
    await using nginx = await startNginx(nginxPort, ports);
    const load = constantLoad(nginx.address);
    const pids: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, port] of ports.entries()) {
        const instance = instances[index];
        if (instance === undefined) throw new Error('no instance');
        pids.push(...(await runnerPids(instance.address, 'iris')));
        const before = load.count();
        instance.child.kill('SIGTERM');
        expect(await instance.exit).toEqual([0, null]);
        instances[index] = await startProcess(environment(port));
        expect(load.count()).toBeGreaterThan(before);
      }
    }
    const answers = await load.stop();
    expect(Object.keys(answers), nginx.errors()).toEqual(['200 setosa']);
    expect(answers['200 setosa']).toBeGreaterThan(500);
    expect(pids.filter(isAlive)).toEqual([]);
    await Promise.all(instances.map((instance) => instance[Symbol.asyncDispose]()));
  });
});
