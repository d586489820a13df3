import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { createServer } from '../src/index.ts';
import { petals } from './fixtures/petals.ts';
import { shippedModelsDir, temporaryRepository } from './helpers/folder.ts';
import { projectDir } from './helpers/process.ts';
import { postJson } from './helpers/server.ts';

it('serves a domain of the user in few lines', async () => {
  const environment = {
    HOST: '127.0.0.1',
    PORT: '0',
    MODELS_DIR: shippedModelsDir,
    STORAGE: 'off',
    LOG_LEVEL: 'silent',
  };
  const server = await createServer({ domains: [petals], environment });
  try {
    await server.loaded;
    const { body } = await postJson(server.address, '/petals/predict/batch', {
      instances: [
        { length: 1.4, width: 0.2 },
        { length: 5.1, width: 1.8 },
      ],
    });
    expect(body).toEqual({ predictions: [{ setosa: true }, { setosa: false }] });
  } finally {
    await server.stop();
  }
});

it('reads a file .env where no environment is given, under the variables of the process', async () => {
  await using repository = await temporaryRepository('iris');
  await writeFile(
    join(repository.path, '.env'),
    `HOST=127.0.0.1\nPORT=0\nLOG_LEVEL=silent\nSTORAGE=off\nMODELS_DIR=${shippedModelsDir}\n`,
  );
  const program = join(projectDir, 'test/fixtures/server-of-env-file.ts');
  const environment = { PATH: process.env['PATH'], MODELS_DIR: repository.path };
  const { stdout } = await promisify(execFile)(process.execPath, [program], { cwd: repository.path, env: environment });
  expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+ /);
  expect(stdout).toContain('iris');
  expect(stdout).not.toContain('titanic');
});
