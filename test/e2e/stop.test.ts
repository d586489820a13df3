import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type TemporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { isAlive, projectDir, runnerPids, type ServerProcess, startProcess } from '../helpers/process.ts';
import { postJson } from '../helpers/server.ts';

const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const forever = 1_000_000_000_000;

/** A repository with iris, and a model that takes as long as its input says. */
async function repositoryThatHangs(manifest: object = {}): Promise<TemporaryFolder> {
  const folder = await temporaryRepository('iris');
  await mkdir(join(folder.path, 'hangs/1'), { recursive: true });
  await cp(new URL('../fixtures/models/hangs.onnx', import.meta.url).pathname, join(folder.path, 'hangs/1/model.onnx'));
  await writeFile(join(folder.path, 'hangs/model.json'), JSON.stringify({ timeoutMs: 3_600_000, ...manifest }));
  return folder;
}

/** Lets the model hang in a run, and gives the process id of its runner. */
async function hang({ address }: ServerProcess): Promise<number> {
  const inputs = [{ name: 'turns', datatype: 'INT64', shape: [1], data: [forever] }];
  postJson(address, '/v2/models/hangs/infer', { inputs }, { 'x-request-timeout-ms': '3600000' }).catch(() => {});
  const states = async () => {
    const model = await (await fetch(new URL('/models/hangs', address))).json();
    return (model as { versions: { runners: { state: string }[] }[] }).versions[0]?.runners[0]?.state;
  };
  await expect.poll(states).toBe('busy');
  const [pid = 0] = await runnerPids(address, 'hangs');
  expect(isAlive(pid)).toBe(true);
  return pid;
}

const isGone = (pids: readonly number[]) => expect.poll(() => pids.filter(isAlive)).toEqual([]);

describe('a stop', () => {
  it('is announced: not ready, but every request is answered, on a connection that ends', async () => {
    await using repository = await temporaryRepository('iris');
    await using server = await startProcess({ MODELS_DIR: repository.path, DRAIN_DELAY_MS: '1500' });
    const { address, child } = server;
    const ready = async () => (await fetch(new URL('/health/ready', address))).status;
    expect(await ready()).toBe(200);
    child.kill('SIGTERM');
    await expect.poll(ready).toBe(503);
    const answer = await postJson(address, '/iris/predict', flower);
    expect(answer).toMatchObject({ status: 200, body: { species: 'setosa' } });
    expect(answer.headers.get('connection')).toBe('close');
    expect((await fetch(new URL('/health/live', address))).status).toBe(200);
    expect(await server.exit).toEqual([0, null]);
    expect(server.lines.at(-1)).toMatchObject({ msg: 'Stopped' });
  });

  it('is forced by a second signal, also while a runner hangs', async () => {
    await using repository = await repositoryThatHangs();
    await using server = await startProcess({ MODELS_DIR: repository.path, REQUEST_TIMEOUT_MS: '3600000' });
    const pids = [await hang(server), ...(await runnerPids(server.address, 'iris'))];
    server.child.kill('SIGTERM');
    await server.line(({ msg }) => String(msg).startsWith('SIGTERM received'));
    server.child.kill('SIGTERM');
    expect(await server.exit).toEqual([1, null]);
    await isGone(pids);
  });

  it('is forced when it takes longer than SHUTDOWN_TIMEOUT_MS', async () => {
    await using repository = await repositoryThatHangs();
    await using server = await startProcess({
      MODELS_DIR: repository.path,
      REQUEST_TIMEOUT_MS: '3600000',
      SHUTDOWN_TIMEOUT_MS: '500',
    });
    const pids = [await hang(server), ...(await runnerPids(server.address, 'iris'))];
    server.child.kill('SIGTERM');
    expect(await server.exit).toEqual([1, null]);
    await isGone(pids);
  });
});

/** Process ids of the children of a process. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

/** The program while one of its models loads and will never be done. */
async function startThatLoads(modelsDir: string) {
  const child = spawn(process.execPath, ['src/main.ts', 'serve'], {
    cwd: projectDir,
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: '0',
      MODELS_DIR: modelsDir,
      SHUTDOWN_TIMEOUT_MS: '500',
      STORAGE: 'off',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  for await (const chunk of child.stdout) if (String(chunk).includes('"Model loaded"')) break;
  const pids = await childrenOf(child.pid ?? 0);
  expect(pids).toHaveLength(2);
  return { child, exit, pids };
}

describe('while a model loads', () => {
  const turns = { datatype: 'INT64', shape: [1], data: [forever] };

  it.each([
    ['SIGTERM', [0, null]],
    ['SIGKILL', [null, 'SIGKILL']],
  ] as const)('%s ends the process and leaves no runner', async (signal, expected) => {
    await using repository = await repositoryThatHangs({ loadTimeoutMs: 3_600_000, warmup: [{ turns }] });
    const { child, exit, pids } = await startThatLoads(repository.path);
    child.kill(signal);
    expect(await exit).toEqual(expected);
    await isGone(pids);
  });
});

describe('a crash', () => {
  const crash = 'process.on("SIGWINCH", () => setImmediate(() => { throw new Error("crash of a test"); }))';
  const crashOnSignal = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(crash)}` };

  it('by an error that nobody caught is logged, exits with 1 and leaves no runner', async () => {
    await using repository = await temporaryRepository('iris');
    await using server = await startProcess({ MODELS_DIR: repository.path, ...crashOnSignal });
    const pids = await runnerPids(server.address, 'iris');
    server.child.kill('SIGWINCH');
    expect(await server.exit).toEqual([1, null]);
    expect(server.lines).toContainEqual(
      expect.objectContaining({ level: 60, err: expect.objectContaining({ message: 'crash of a test' }) }),
    );
    await isGone(pids);
  });

  it('by SIGKILL while a runner hangs leaves no runner', async () => {
    await using repository = await repositoryThatHangs();
    await using server = await startProcess({ MODELS_DIR: repository.path, REQUEST_TIMEOUT_MS: '3600000' });
    const pids = [await hang(server), ...(await runnerPids(server.address, 'iris'))];
    server.child.kill('SIGKILL');
    await server.exit;
    await isGone(pids);
  });
});
