import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ModelFolder, scanRepository } from '../../src/models/repository.ts';
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
  const folders = await scanRepository(folder.path, modelName);
  return Object.fromEntries(folders.map((one) => [one.name, summary(one)]));
}

describe('scanRepository', () => {
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
      'empty/notes.txt': '',
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
});
