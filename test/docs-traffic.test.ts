import { execFile, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rendezvous } from '../src/models/traffic/rendezvous.ts';
import { writeModel } from './faces/classifier-model.ts';
import { classifier } from './graphs/write-graph-models.ts';
import { databaseKinds, type TestDatabase, temporaryDatabase } from './helpers/database.ts';
import { type TemporaryFolder, temporaryFolder } from './helpers/folder.ts';
import { expectAnswer, readPage } from './helpers/page-examples.ts';
import { startReadyServer, type TestServer } from './helpers/server.ts';

const { text: page, examples } = readPage('docs/traffic.md');
const users = Array.from({ length: 500 }, (_, index) => `user-${index}-é`);
const arms = [
  { version: '1', weight: 90 },
  { version: '2', weight: 10 },
];
const expected = users.map((user) => rendezvous('net', user, arms)?.version);

const hasPython = spawnSync('python3', ['--version']).status === 0;

const varying = new Set(['etag', 'changed_at', 'at']);

let folder: TemporaryFolder;
let database: TestDatabase;
let server: TestServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  const [, manifest = ''] = /^`models\/net\/model\.json`\n\n```json\n([^`]*?)\n```$/m.exec(page) ?? [];
  await writeModel(folder.path, 'net', classifier([1, 0, 0, 1]));
  await writeModel(folder.path, 'net', classifier([2, 0, 0, 1]), { version: '2' });
  await writeFile(join(folder.path, 'net', 'model.json'), manifest);
  database = await temporaryDatabase('embedded');
  server = await startReadyServer({ MODELS_DIR: folder.path, ...database.environment });
  await server.storage?.whenReady();
});

afterAll(async () => {
  await server.stop();
  await database[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

describe('docs/traffic.md', () => {
  test.each(examples)('$command', (example) => expectAnswer(example, server.address, varying));

  test.runIf(hasPython)('has a function in Python that finds the same version', async () => {
    const [, code = ''] = /```python\n([^`]*)```/.exec(page) ?? [];
    const program = `${code}\nimport json, sys\nprint(json.dumps([version_of("net", user, {"1": 90, "2": 10}) for user in json.load(sys.stdin)]))`;
    const running = promisify(execFile)('python3', ['-c', program]);
    running.child.stdin?.end(JSON.stringify(users));
    expect(JSON.parse((await running).stdout)).toEqual(expected);
  });

  test.runIf(databaseKinds.some((kind) => kind === 'postgres'))('has a query that finds the same version', async () => {
    const [query = '', definition = ''] = [...page.matchAll(/```sql\n([^`]*)```/g)].map(([, text = '']) => text);
    await using database = await temporaryDatabase('postgres');
    const { Client } = await import('pg');
    const client = new Client({ connectionString: database.environment['DATABASE_URL'] });
    await client.connect();
    try {
      await client.query(definition);
      await client.query('create table users (user_id text)');
      await client.query('insert into users select unnest($1::text[])', [users]);
      const { rows } = await client.query(`${query} order by array_position($1, user_id)`, [users]);
      expect(rows.map(({ version }) => version)).toEqual(expected);
    } finally {
      await client.end();
    }
  });
});
