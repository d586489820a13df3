import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, test } from 'vitest';
import { IgnoredFolders } from '../../src/models/repository/ignored-folders.ts';
import { type ModelFolder, scanRepository } from '../../src/models/repository/repository.ts';
import { temporaryFolder } from '../helpers/folder.ts';

async function write(root: string, files: Record<string, string>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
}

const summary = (folder: ModelFolder) =>
  'error' in folder ? folder.error.message : folder.versions.map((version) => version.version).join(',');

async function scan(files: Record<string, string>, modelName?: string): Promise<Record<string, string>> {
  await using folder = await temporaryFolder();
  await write(folder.path, files);
  const folders = await scanRepository(folder.path, { ownName: modelName });
  return Object.fromEntries(folders.map((one) => [one.name, summary(one)]));
}

describe('scanRepository', () => {
  it('says of a model.json that is a folder that it is no file, without its path', async () => {
    expect(await scan({ 'm/1/model.onnx': '', 'm/model.json/x': '' })).toEqual({ m: 'm/model.json is no file' });
  });

  it('finds version folders and bare files, by name', async () => {
    expect(await scan({ 'b/1/model.onnx': '', 'a.onnx': '' })).toEqual({ a: '1', b: '1' });
  });

  it.each([
    [{ 'model.onnx': '', 'model.json': '{}' }, '1'],
    [{ '1/model.onnx': '', '3/model.onnx': '' }, '3'],
    [{ '1/model.onnx': '', '3/model.onnx': '', 'model.json': '{"versionPolicy":"all"}' }, '3,1'],
  ])('takes %j in the folder itself for one model', async (files, versions) => {
    expect(await scan(files)).toEqual({ model: versions });
    expect(await scan(files, 'resnet')).toEqual({ resnet: versions });
    expect(await scan({ ...files, 'other.onnx': '' }, 'resnet')).toEqual({ other: '1', resnet: versions });
  });

  it('selects the highest version by number, not by text', async () => {
    expect(await scan({ 'm/2/model.onnx': '', 'm/10/model.onnx': '' })).toEqual({ m: '10' });
  });

  it.each([
    ['"all"', '3,2,1'],
    ['{"latest":2}', '3,2'],
    ['{"specific":[1,3]}', '3,1'],
  ])('follows the version policy %s', async (policy, expected) => {
    const files = { 'm/1/model.onnx': '', 'm/2/model.onnx': '', 'm/3/model.onnx': '' };
    expect(await scan({ ...files, 'm/model.json': `{"versionPolicy":${policy}}` })).toEqual({ m: expected });
  });

  it('leaves out a version folder that holds no model yet', async () => {
    expect(await scan({ 'm/1/model.onnx': '', 'm/2/weights.bin': '' })).toEqual({ m: '1' });
  });

  it('lists a model that cannot be used with the reason, beside the others', async () => {
    const found = await scan({
      'broken/model.json': '{"instances": "many"}',
      'broken/1/model.onnx': '',
      'empty/model.json': '{}',
      'fine/1/model.onnx': '',
      'gone/model.json': '{"versionPolicy":{"specific":[7]}}',
      'gone/1/model.onnx': '',
      'spa ce/1/model.onnx': '',
    });
    expect(found['fine']).toBe('1');
    expect(found['broken']).toMatch(/instances/);
    expect(found['empty']).toMatch(/no version/);
    expect(found['gone']).toMatch(/7.*only 1/);
    expect(found['spa ce']).toMatch(/name/);
  });

  it('ignores hidden entries and other files', async () => {
    expect(await scan({ '.git/1/model.onnx': '', 'README.md': '', 'model.schema.json': '' })).toEqual({});
  });

  it('refuses links that leave the repository, and follows those that stay', async () => {
    await using outside = await temporaryFolder();
    await using folder = await temporaryFolder();
    await write(outside.path, { '1/model.onnx': 'secret', 'model.onnx': 'secret' });
    await write(folder.path, { 'real/1/model.onnx': '' });
    await mkdir(join(folder.path, 'version'), { recursive: true });
    await mkdir(join(folder.path, 'file', '1'), { recursive: true });
    await symlink(outside.path, join(folder.path, 'model'));
    await symlink(join(outside.path, '1'), join(folder.path, 'version', '1'));
    await symlink(join(outside.path, 'model.onnx'), join(folder.path, 'file', '1', 'model.onnx'));
    await symlink(join(folder.path, 'real'), join(folder.path, 'alias'));
    const found = Object.fromEntries((await scanRepository(folder.path)).map((one) => [one.name, summary(one)]));
    expect(found['model']).toMatch(/leaves the model repository/);
    expect(found['version']).toMatch(/leaves the model repository/);
    expect(found['file']).toMatch(/leaves the model repository/);
    expect(found).toMatchObject({ alias: '1', real: '1' });
  });

  it('says so when the folder itself is missing', async () => {
    await expect(scanRepository('/nonexistent/models')).rejects.toThrow(/MODELS_DIR.*\/nonexistent\/models/);
  });

  it('gives a version another fingerprint when its file or its manifest changes', async () => {
    await using folder = await temporaryFolder();
    await write(folder.path, { 'm/1/model.onnx': 'a' });
    const fingerprint = async () => {
      const [found] = await scanRepository(folder.path);
      return found !== undefined && 'versions' in found ? found.versions[0]?.fingerprint : undefined;
    };
    const first = await fingerprint();
    expect(await fingerprint()).toBe(first);

    await utimes(join(folder.path, 'm/1/model.onnx'), 1, 1);
    const touched = await fingerprint();
    expect(touched).not.toBe(first);

    await write(folder.path, { 'm/model.json': '{}' });
    expect(await fingerprint()).not.toBe(touched);
  });

  it('takes a folder without model.json and .onnx file for none, nor a link to nothing', async () => {
    await using folder = await temporaryFolder();
    await write(folder.path, {
      'iris/1/model.onnx': '',
      'scripts/train.py': '',
      '__pycache__/train.pyc': '',
      'logs/2024/today.txt': '',
      'tf/1/saved_model.pb': '',
      'lost+found/#12': '',
      'README.md': '',
    });
    await mkdir(join(folder.path, 'empty'));
    await symlink(join(folder.path, 'nothing'), join(folder.path, 'link'));
    await symlink(join(folder.path, 'nothing'), join(folder.path, 'link.onnx'));
    const ignored: string[][] = [];
    const found = await scanRepository(folder.path, { onIgnored: (names) => ignored.push([...names]) });
    expect(found.map(({ name }) => name)).toEqual(['iris']);
    expect(ignored).toEqual([['__pycache__', 'empty', 'link', 'link.onnx', 'logs', 'lost+found', 'scripts', 'tf']]);
  });

  it('names a graph that is a link to nothing, or no file', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'folder', '1', 'model.onnx'), { recursive: true });
    await mkdir(join(folder.path, 'link', '1'), { recursive: true });
    await symlink(join(folder.path, 'nothing'), join(folder.path, 'link', '1', 'model.onnx'));
    execFileSync('mkfifo', [join(folder.path, 'pipe.onnx')]);
    const found = Object.fromEntries((await scanRepository(folder.path)).map((one) => [one.name, summary(one)]));
    expect(found).toEqual({
      folder: expect.stringContaining('folder/1/model.onnx is no file'),
      link: expect.stringContaining('there is 1/model.onnx, a link to nothing'),
      pipe: expect.stringContaining('pipe.onnx is no file'),
    });
  });

  it.each([
    [{ 'm/model.json': '{}' }, 'expected m/1/model.onnx or another number up to 2^63 - 1'],
    [{ 'm/net.onnx': '' }, 'there is net.onnx'],
    [{ 'm/1/net.onnx': '' }, 'there is 1/net.onnx'],
    [{ 'm/v1/model.onnx': '' }, 'there is v1/model.onnx'],
    [{ 'm/01/model.onnx': '' }, 'there is 01/model.onnx'],
    [{ 'm/9223372036854775808/model.onnx': '' }, 'there is 9223372036854775808/model.onnx'],
  ])('takes %j for a model, and names what is wrong', async (files, reason) => {
    expect(await scan(files)).toEqual({ m: expect.stringContaining(reason) });
  });

  it('takes versions of as many digits as a time or a date needs, and sorts them exactly', async () => {
    const versions = ['9223372036854775807', '20240115123045124', '20240115123045123', '1700000000000001', '9'];
    const files = Object.fromEntries(versions.map((version) => [`m/${version}/model.onnx`, '']));
    expect(await scan({ ...files, 'm/model.json': '{"versionPolicy":"all"}' })).toEqual({ m: versions.join(',') });
    const specific = '{"versionPolicy":{"specific":[9,"20240115123045123"]}}';
    expect(await scan({ ...files, 'm/model.json': specific })).toEqual({ m: '20240115123045123,9' });
  });

  it('serves neither of two models of one name, and names both', async () => {
    const twins = 'Two models have the name m: the file m.onnx and the folder m; rename one';
    expect(await scan({ 'm.onnx': '', 'm/1/model.onnx': '' })).toEqual({ m: twins });
    expect(await scan({ 'model.onnx': '', 'model/1/model.onnx': '' })).toEqual({
      model: 'Two models have the name model: the folder model and the folder of models itself; rename one',
    });
    // A folder beside the file may have its weights.
    expect(await scan({ 'm.onnx': '', 'm/weights.bin': '' })).toEqual({ m: '1' });
  });

  it('serves a folder whose name ends in .onnx', async () => {
    expect(await scan({ 'yolo.onnx/1/model.onnx': '', 'flat.onnx/model.onnx': '' })).toEqual({
      'yolo.onnx': '1',
      'flat.onnx': '1',
    });
  });

  it('reads a manifest with a byte order mark', async () => {
    expect(
      await scan({ 'm/1/model.onnx': '', 'm/2/model.onnx': '', 'm/model.json': '\uFEFF{"versionPolicy":"all"}' }),
    ).toEqual({
      m: '2,1',
    });
  });
});

it('takes a folder that cannot be read for none if its name is no model’s, and else says so', async () => {
  await using folder = await temporaryFolder();
  await write(folder.path, { 'iris/1/model.onnx': '' });
  for (const name of ['lost+found', 'secret']) await mkdir(join(folder.path, name), { mode: 0 });
  await chmod(folder.path, 0o755);
  const module = new URL('../../src/models/repository/repository.ts', import.meta.url).href;
  const script = `
    const { scanRepository } = await import(process.argv[1]);
    // Root reads everything. It gives up its rights when all that it needs has been loaded.
    if (process.getuid() === 0) process.setgid(65534), process.setuid(65534);
    const ignored = [];
    const folders = await scanRepository(process.argv[2], { onIgnored: (names) => ignored.push(...names) });
    const models = folders.map(({ name, error }) => [name, error?.message ?? 'fine']);
    console.log(JSON.stringify({ ignored, models }));
  `;
  const args = ['--input-type=module', '-e', script, module, folder.path];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toEqual({
    ignored: ['lost+found'],
    models: [
      ['iris', 'fine'],
      ['secret', expect.stringMatching(/permission denied/)],
    ],
  });
});

it('says once of a folder that it is no model, and again when it comes back', () => {
  const lines: string[] = [];
  const ignored = new IgnoredFolders({ info: (_details, message) => lines.push(message) });
  for (const names of [['a', 'b'], ['a', 'b'], ['a'], ['a', 'b'], ['b', 'c']]) ignored.report(names);
  expect(lines.map((line) => line.split(': ')[1])).toEqual(['a, b', 'b', 'c']);
});

test('a copy of a repository of the Hub is version 1, and its files beside the graph belong to it', async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'bert/onnx'), { recursive: true });
  await writeFile(join(folder.path, 'bert/onnx/model.onnx'), 'graph');
  await writeFile(join(folder.path, 'bert/config.json'), '{}');
  const fingerprintOf = async () => {
    const [model] = await scanRepository(folder.path);
    return model !== undefined && 'versions' in model ? model.versions.map(({ fingerprint }) => fingerprint) : [];
  };
  expect(await scanRepository(folder.path)).toMatchObject([
    { name: 'bert', versions: [{ kind: 'onnx', version: '1' }] },
  ]);
  const [before] = await fingerprintOf();
  await writeFile(join(folder.path, 'bert/README.md'), 'says nothing');
  expect(await fingerprintOf()).toEqual([before]);
  await writeFile(join(folder.path, 'bert/config.json'), '{"model_type": "bert"}');
  expect(await fingerprintOf()).not.toEqual([before]);
});

test('a repository may hold a model of the name onnx', async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'onnx'));
  await writeFile(join(folder.path, 'onnx/model.onnx'), 'graph');
  expect(await scanRepository(folder.path)).toMatchObject([{ name: 'onnx', versions: [{ version: '1' }] }]);
});

test('a folder of models may itself be a copy of a repository of the Hub', async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'onnx'));
  await writeFile(join(folder.path, 'onnx/model.onnx'), 'graph');
  await writeFile(join(folder.path, 'config.json'), '{}');
  expect(await scanRepository(folder.path, { ownName: 'mine' })).toMatchObject([{ name: 'mine' }]);
});
