import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, symlink, unlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scanRepository } from '../../../src/models/repository/repository.ts';
import { temporaryFolder, temporaryRepository } from '../../helpers/folder.ts';
import { postJson, startReadyServer, type TestServer } from '../../helpers/server.ts';

const outside = (name: string) => new URL(`../../fixtures/outside/${name}.onnx`, import.meta.url).pathname;
const secret = 'SECRET-SECRET-SECRET';
const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

/** Sends the path as it is; fetch would tidy it up. */
async function raw(server: TestServer, path: string, method = 'GET') {
  const { hostname, port } = new URL(server.address);
  const sent = request({ hostname, port, path, method, agent: false }).end();
  const [response] = await once(sent, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode as number, body: Buffer.concat(chunks).toString() };
}

const climbs = [
  '../../../../../etc/passwd',
  '..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd',
  '..%5c..%5c..%5cetc%5cpasswd',
  '%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
  '..%252f..%252f..%252fetc%252fpasswd',
  '%2fetc%2fpasswd',
  '/etc/passwd',
  'iris%00.json',
  '%00',
  '..%c0%af..%c0%afetc%c0%afpasswd',
  '%ef%bc%8e%ef%bc%8e%ef%bc%8fetc%ef%bc%8fpasswd',
  'iris/versions/..%2f..%2f..%2fetc%2fpasswd',
  'iris/../../../../etc/passwd',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'a'.repeat(5000),
];

describe('a path that climbs out', () => {
  it('reads no file, by whatever route', async () => {
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    for (const climb of climbs) {
      for (const [method, prefix] of [
        ['GET', '/models/'],
        ['GET', '/v2/models/'],
        ['POST', '/v2/repository/models/'],
        ['GET', '/docs/static/'],
        ['GET', '/docs/'],
        ['GET', '/'],
      ] as const) {
        const suffix = prefix.includes('repository') ? '/load' : '';
        const { status, body } = await raw(server, `${prefix}${climb}${suffix}`, method);
        expect(status, `${method} ${prefix}${climb}`).toBeGreaterThanOrEqual(400);
        expect(status, `${method} ${prefix}${climb}`).toBeLessThan(500);
        expect(body).not.toMatch(/root:|"dependencies"/);
      }
    }
  });

  it('takes no model by a name of every object, unless there is such a model', async () => {
    await using repository = await temporaryRepository('iris');
    await cp(join(repository.path, 'iris'), join(repository.path, 'constructor'), { recursive: true });
    await cp(join(repository.path, 'iris'), join(repository.path, '__proto__'), { recursive: true });
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    expect(await raw(server, '/models/constructor')).toMatchObject({ status: 200 });
    expect(await raw(server, '/models/toString')).toMatchObject({ status: 404 });
    const { body } = await raw(server, '/models/__proto__');
    expect(JSON.parse(body)).toMatchObject({ state: 'UNAVAILABLE', reason: expect.stringMatching(/name/) });
  });
});

describe('a body with names of every object', () => {
  it.each(['{"__proto__":{"sepal_length":1}}', '{"constructor":{"prototype":{"polluted":1}}}'])(
    'changes no object: %s',
    async (body) => {
      await using repository = await temporaryRepository('iris');
      await using server = await startReadyServer({ MODELS_DIR: repository.path });
      expect(await postJson(server.address, '/iris/predict', body)).toMatchObject({ status: 422 });
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect(await postJson(server.address, '/iris/predict', flower)).toMatchObject({ status: 200 });
    },
  );
});

/** A repository with one of the models whose weights are in another file, and a secret in a model beside it. */
async function repositoryWith(name: string) {
  const folder = await temporaryFolder();
  const files = { 'secret/1/weights.bin': secret, [`${name}/weights.bin`]: secret };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, path)), { recursive: true });
    await writeFile(join(folder.path, path), content);
  }
  await mkdir(join(folder.path, name, '1'));
  await cp(outside(name), join(folder.path, name, '1/model.onnx'));
  return folder;
}

async function reasonOf(server: TestServer, name: string): Promise<{ state: string; reason?: string }> {
  return JSON.parse((await raw(server, `/models/${name}`)).body);
}

describe('the weights of a model', () => {
  it.each([
    ['beside', 'weights.bin'],
    ['below', 'folder/weights.bin'],
  ])('may be in a file %s it', async (name, path) => {
    await using repository = await repositoryWith(name);
    await mkdir(dirname(join(repository.path, name, '1', path)), { recursive: true });
    await writeFile(join(repository.path, name, '1', path), 'these are weights');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    expect(await reasonOf(server, name)).toMatchObject({ state: 'READY' });
  });

  it.each(['above', 'other_model', 'etc', 'absolute', 'url', 'backslash', 'memory'])(
    'may not be elsewhere: %s',
    async (name) => {
      await using repository = await repositoryWith(name);
      await using server = await startReadyServer({ MODELS_DIR: repository.path });
      expect(await reasonOf(server, name)).toMatchObject({ state: 'UNAVAILABLE' });
    },
  );

  it.each([
    ['a file', 'beside', 'weights.bin'],
    ['a folder', 'below', 'folder'],
  ])('may not be behind a link to %s outside', async (_, name, link) => {
    await using repository = await repositoryWith(name);
    await using other = await temporaryFolder();
    await writeFile(join(other.path, 'weights.bin'), secret);
    const target = link === 'folder' ? other.path : join(other.path, 'weights.bin');
    await symlink(target, join(repository.path, name, '1', link));
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    expect(await reasonOf(server, name)).toMatchObject({
      state: 'UNAVAILABLE',
      reason: expect.stringMatching(/leaves the model repository/),
    });
  });

  it.each(['above', 'other_model', 'etc', 'absolute', 'memory'])(
    'may not be elsewhere in an upload: %s',
    async (name) => {
      await using repository = await repositoryWith(name);
      await using server = await startReadyServer({ MODELS_DIR: repository.path, ALLOW_MODEL_UPLOAD: '1' });
      const model = (await readFile(outside(name))).toString('base64');
      const upload = (path: string) =>
        postJson(server.address, '/v2/repository/models/uploaded/load', {
          parameters: { config: '{}', [`file:${path}`]: model },
        });
      expect(await upload('1/model.onnx')).toMatchObject({ status: 400 });
      const paths = [
        '../x/1/model.onnx',
        '/etc/model.onnx',
        '1/../../model.onnx',
        '1/a/../model.onnx',
        '1/\u0000',
        '__proto__/x',
      ];
      for (const path of paths) expect(await upload(path), path).toMatchObject({ status: 400 });
      expect((await readdir(repository.path)).sort()).toEqual([name, 'secret'].sort());
    },
  );
});

describe('a link', () => {
  it('that is changed after the repository was read is refused when a runner starts', async () => {
    await using repository = await temporaryRepository('iris');
    await using other = await temporaryRepository('iris');
    const file = join(repository.path, 'iris/1/model.onnx');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    const scanned = await scanRepository(repository.path);
    await unlink(file);
    await symlink(join(other.path, 'iris/1/model.onnx'), file);

    const [folder] = scanned;
    if (folder === undefined) throw new Error('no model');
    const [failure] = await server.registry.syncModel(folder, { reload: true });
    expect(failure?.message).toMatch(/leaves the model repository/);
    expect(await postJson(server.address, '/iris/predict', flower)).toMatchObject({ status: 200 });
  });
});
