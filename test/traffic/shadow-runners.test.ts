import { writeFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { spawnRunner } from '../../src/inference/runner/spawn-runner.ts';
import { writeModel } from '../faces/classifier-model.ts';
import { classifier } from '../graphs/write-graph-models.ts';
import { type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { scrape } from '../helpers/scrape.ts';
import { postJson, shippedDomains, startReadyServer, type TestServer } from '../helpers/server.ts';

/** A runner that was killed is started anew, which takes a busy machine some seconds. */
const patience = { timeout: 30_000 };

let folder: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeModel(folder.path, 'net', classifier([1, 0, 0, 1]));
  await writeModel(folder.path, 'net', classifier([2, 0, 0, 1]), { version: '2' });
  const traffic = { shadow: { version: 2 } };
  await writeFile(join(folder.path, 'net', 'model.json'), JSON.stringify({ traffic, timeoutMs: 2000 }));
  server = await startReadyServer({ MODELS_DIR: folder.path }, shippedDomains, { spawnRunner });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

/** The process of the one runner of a version. */
function pidOf(version: string): number {
  const loaded = server.registry.find('net')?.versions.find((candidate) => candidate.version === version);
  const pid = loaded?.engine?.stats().runners[0]?.pid;
  if (pid === undefined) throw new Error(`Version ${version} has no runner`);
  return pid;
}

async function ask(version = '') {
  const path = version === '' ? '/models/net/predict' : `/models/net/versions/${version}/predict`;
  const { status, body } = await postJson(server.address, path, { scaled: [[2, 3]] });
  return { status, label: (body as { readonly label: unknown }).label };
}

const count = async (outcome: string) =>
  (await scrape(server.address)).value('inferd_shadow_total', { model: 'net', outcome }) ?? 0;

test('a shadow whose process hangs or is killed changes no answer', async () => {
  const pid = pidOf('2');
  expect(await ask()).toEqual({ status: 200, label: [1] });
  await expect.poll(() => count('disagree'), patience).toBe(1);
  process.kill(pid, 'SIGSTOP');
  for (let request = 0; request < 100; request += 1) expect(await ask()).toEqual({ status: 200, label: [1] });
  expect(await count('failed')).toBe(0);
  expect(await count('dropped_busy')).toBeGreaterThan(0);
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => count('failed'), patience).toBeGreaterThan(0);
  await expect.poll(async () => (await ask()).status === 200 && (await count('disagree')) > 1, patience).toBe(true);
});

test('everything goes before the processes of a shadow, until somebody asks for it by number', async () => {
  await expect.poll(() => getPriority(pidOf('2')), patience).toBe(getPriority(pidOf('1')) + 10);
  const before = pidOf('2');
  expect(await ask('2')).toEqual({ status: 200, label: [0] });
  await expect.poll(() => pidOf('2'), patience).not.toBe(before);
  expect(getPriority(pidOf('2'))).toBe(getPriority(pidOf('1')));
  expect(await ask()).toEqual({ status: 200, label: [1] });
});
