import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../helpers/folder.ts';
import { isAlive, projectDir, runnerPids, startProcess } from '../helpers/process.ts';
import { postJson } from '../helpers/server.ts';

const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const names = ['digits', 'iris', 'sentiment', 'titanic'];

describe('the process', () => {
  it('says in one line where it is and how long each model took', async () => {
    await using server = await startProcess();
    const models = names.map((name) => `${name} v1 \\(\\d+ ms\\)`).join(', ');
    const { msg } = await server.line(({ msg: text }) => String(text).startsWith('inferd serves'));
    expect(msg).toMatch(new RegExp(`^inferd serves ${models} at http:\\S+ after \\d+ ms$`));
  });

  it('predicts with all four models over a socket', async () => {
    await using server = await startProcess();
    const { address } = server;
    const picture = new Blob([readFileSync(new URL('../../docs/examples/two.png', import.meta.url))]);
    const form = new FormData();
    form.append('file', picture, 'two.png');
    const digit = await fetch(new URL('/digits/predict', address), { method: 'POST', body: form });
    expect(await digit.json()).toMatchObject({ digit: 2 });
    expect(await postJson(address, '/iris/predict', flower)).toMatchObject({ body: { species: 'setosa' } });
    expect(await postJson(address, '/titanic/predict', { pclass: 1, sex: 'female' })).toMatchObject({
      body: { survived: 1 },
    });
    expect(await postJson(address, '/sentiment/predict', { text: '최고의 영화' })).toMatchObject({
      body: { label: 'positive', language: 'ko' },
    });
  });

  it('replaces a runner that was killed, while the other models go on', async () => {
    await using server = await startProcess();
    const { address } = server;
    const [pid = 0] = await runnerPids(address, 'iris');
    expect(pid).toBeGreaterThan(1);
    process.kill(pid, 'SIGKILL');
    await server.line(({ model, msg }) => model === 'iris' && /runner/i.test(String(msg)));
    expect(await postJson(address, '/titanic/predict', { pclass: 3, sex: 'male' })).toMatchObject({ status: 200 });

    let answer = await postJson(address, '/iris/predict', flower);
    while (answer.status === 503) {
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      answer = await postJson(address, '/iris/predict', flower);
    }
    expect(answer).toMatchObject({ status: 200, body: { species: 'setosa' } });
    expect(await runnerPids(address, 'iris')).not.toContain(pid);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s answers what is in flight, ends its runners and exits with 0',
    async (signal) => {
      await using server = await startProcess();
      const { address, child } = server;
      const pids = (await Promise.all(names.map((name) => runnerPids(address, name)))).flat();
      expect(pids).toHaveLength(names.length);

      const accepted = Array.from({ length: 20 }, () => postJson(address, '/iris/predict', flower));
      await Promise.all(accepted.slice(0, 1));
      child.kill(signal);
      const answers = await Promise.allSettled(accepted);
      const statuses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.status] : []));
      expect(new Set(statuses)).toEqual(new Set([200]));
      expect(await server.exit).toEqual([0, null]);
      expect(pids.filter(isAlive)).toEqual([]);
    },
  );

  it('leaves no runner behind when it is killed', async () => {
    await using server = await startProcess();
    const [pid = 0] = await runnerPids(server.address, 'iris');
    expect(pid).toBeGreaterThan(1);
    server.child.kill('SIGKILL');
    await server.exit;
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('keeps the telemetry of ONNX Runtime off', async () => {
    await using home = await temporaryFolder();
    await using server = await startProcess({ HOME: home.path });
    await postJson(server.address, '/iris/predict', flower);
    // ONNX Runtime would keep an id of the machine and the events to send there.
    expect(await readdir(home.path)).toEqual([]);
  });

  it('refuses to start with bad settings, naming all of them', async () => {
    const child = spawn(process.execPath, ['src/main.ts'], {
      cwd: projectDir,
      env: { ...process.env, PORT: 'x', LOG_LEVEL: 'loud' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const errors: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    const [code] = await once(child, 'close');
    expect(code).toBe(1);
    expect(Buffer.concat(errors).toString()).toMatch(/PORT.*"x".*LOG_LEVEL.*"loud"/);
  });
});
