import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hideFolders } from '../../../src/errors.ts';
import { temporaryRepository } from '../../helpers/folder.ts';
import { temporaryKeyFile } from '../../helpers/keys.ts';
import { startReadyServer } from '../../helpers/server.ts';

const secret = 'hunter2-of-the-operator';

/** A repository with a manifest that is no JSON, a model that is no model, and one whose folder is empty. */
async function brokenRepository() {
  const repository = await temporaryRepository('iris', 'titanic', 'digits');
  await writeFile(join(repository.path, 'iris/model.json'), secret);
  await writeFile(join(repository.path, 'titanic/1/model.onnx'), secret);
  await rm(join(repository.path, 'digits/1/model.onnx'));
  await mkdir(join(repository.path, 'digits/1/model.onnx'));
  return repository;
}

it('tells of broken files neither folders nor a piece of their text', async () => {
  await using repository = await brokenRepository();
  await using server = await startReadyServer({ MODELS_DIR: repository.path, TASK_CONCURRENCY: '0' });
  for (const [path, method] of [
    ['/health/ready'],
    ['/v2/health/ready'],
    ['/models'],
    ['/models/iris'],
    ['/v1/models/iris'],
    ['/v2/models/titanic/ready'],
    ['/v2/models/titanic'],
    ['/v2/repository/index', 'POST'],
    ['/v2/repository/models/iris/load', 'POST'],
    ['/v2/repository/models/titanic/load', 'POST'],
    ['/v2/repository/models/digits/load', 'POST'],
  ] as const) {
    const text = await (await fetch(new URL(path, server.address), { method: method ?? 'GET' })).text();
    expect(text, path).toMatch(/iris|titanic|digits|error/);
    expect(text, path).not.toContain('hunter2');
    expect(text, path).not.toContain(repository.path);
    expect(text, path).not.toMatch(/["' (:]\/(tmp|home|root|work|onnxruntime_src)\//);
  }
  expect(JSON.stringify(server.logLines)).toContain('hunter2');
});

it('tells without a key whether the server is ready, and nothing of models', async () => {
  await using repository = await brokenRepository();
  await using keyFile = await temporaryKeyFile();
  const { key: all } = await keyFile.add();
  const { key: irisOnly } = await keyFile.add({ models: ['iris'] });
  const { key: other } = await keyFile.add({ models: ['other'] });
  await using server = await startReadyServer({ MODELS_DIR: repository.path, API_KEYS_FILE: keyFile.file });
  for (const path of ['/health/ready', '/v2/health/ready', '/ping', '/']) {
    const told = async (key?: string) => {
      const headers = key === undefined ? {} : { 'x-api-key': key };
      return (await fetch(new URL(path, server.address), { headers })).text();
    };
    expect(await told(), path).not.toMatch(/iris|titanic|digits/);
    expect(await told('wrong'), path).not.toMatch(/iris|titanic|digits/);
    expect(await told(other), path).not.toMatch(/iris|titanic|digits/);
    if (!path.endsWith('ready')) continue;
    expect(await told(), path).toContain('API key');
    expect(await told(irisOnly), path).toContain('iris');
    expect(await told(irisOnly), path).not.toMatch(/titanic|digits/);
    expect(await told(all), path).toMatch(/iris.*titanic/);
  }
});

it.each([
  ["EACCES: permission denied, open '/srv/my models/a/model.json'", "EACCES: permission denied, open 'model.json'"],
  ['Load model from /srv/models/a/1/model.onnx failed:Protobuf', 'Load model from model.onnx failed:Protobuf'],
  [
    'cannot read (/srv/a), s3://bucket/a/b and https://host/a/b',
    'cannot read (a), s3://bucket/a/b and https://host/a/b',
  ],
  ['and/or iris/model.json 1/2 at 10:30', 'and/or iris/model.json 1/2 at 10:30'],
])('hides the folders of %s', (text, hidden) => expect(hideFolders(text)).toBe(hidden));
