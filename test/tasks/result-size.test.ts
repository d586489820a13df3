import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../src/settings.ts';
import { databaseKinds, temporaryDatabase } from '../helpers/database.ts';
import { fixtureRepository } from '../helpers/folder.ts';
import { startReadyServer } from '../helpers/server.ts';
import { finishedTask, getJson, submitTask, whenTasksAreReady } from '../helpers/tasks.ts';

describe.each(databaseKinds)('the result of a task on %s', (kind) => {
  // The larger one is kept in a file where the database is the embedded one.
  it.each([2000, 300_000])('may have TASK_RESULT_MAX_BYTES, %i, and not a byte more', async (maxBytes) => {
    await using database = await temporaryDatabase(kind);
    await using repository = await fixtureRepository(['strings']);
    await using server = await startReadyServer({
      MODELS_DIR: repository.path,
      TASK_RESULT_MAX_BYTES: String(maxBytes),
      ...database.environment,
    });
    const { address, storage } = server;
    await whenTasksAreReady(address);
    const { versions } = (await getJson(address, '/models/strings')).body as {
      versions: { inputs: { name: string }[]; outputs: { name: string }[] }[];
    };
    const [input, output] = [versions[0]?.inputs[0]?.name ?? '', versions[0]?.outputs[0]?.name ?? ''];
    // The model gives back its text; every é is two bytes.
    const frameBytes = Buffer.byteLength(JSON.stringify({ [output]: [['é', '']] })) - 2;
    const runWithResultOf = async (bytes: number) => {
      const text = 'é'.repeat(500) + 'a'.repeat(bytes - frameBytes - 1000);
      return finishedTask(address, await submitTask(address, '/models/strings/tasks', { [input]: [[text, '']] }));
    };

    const largest = await runWithResultOf(maxBytes);
    expect(largest).toMatchObject({ state: 'succeeded' });
    const result = await fetch(new URL(`/tasks/${largest.id}/result`, address));
    expect(Buffer.byteLength(await result.text())).toBe(maxBytes);

    const larger = await runWithResultOf(maxBytes + 1);
    const message = `The result has ${maxBytes + 1} bytes, and TASK_RESULT_MAX_BYTES allows ${maxBytes}`;
    expect(larger).toMatchObject({
      state: 'failed',
      attempts: 1,
      progress: { done: 0 },
      error: { code: 'TASK_RESULT_TOO_LARGE', message },
    });
    const files = await readdir(join(database.dataDir, 'tasks')).catch(() => []);
    expect(files.filter((file) => file.startsWith(larger.id))).toEqual([]);
    const kept = await storage?.use(({ pool }) =>
      pool.query('SELECT input, result FROM inferd.tasks WHERE id = $1', [larger.id]),
    );
    expect(kept?.rows).toEqual([{ input: null, result: null }]);
  });
});

it.each(['1023', '134217729', 'large'])('a bound of %s bytes is refused', (TASK_RESULT_MAX_BYTES) => {
  expect(() => readSettings({ TASK_RESULT_MAX_BYTES })).toThrow(/^TASK_RESULT_MAX_BYTES: /);
});
