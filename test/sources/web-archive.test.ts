import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { makeTar, makeZip } from '../helpers/archives.ts';
import { FileServer } from '../helpers/file-server.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { fetchModels } from './remote-models.ts';

const entries = [
  { path: 'iris/model.json', content: '{}' },
  { path: 'iris/1/model.onnx', content: 'weights' },
  { path: 'resnet.onnx', content: 'more weights' },
];
const files = { 'iris/model.json': '{}', 'iris/1/model.onnx': 'weights', 'resnet.onnx': 'more weights' };
const archive = gzipSync(makeTar(entries));
const sha256 = (content: Buffer | string) => createHash('sha256').update(content).digest('hex');

describe('models from an archive on the web', () => {
  it.each([
    ['/models.tar.gz', archive],
    ['/models.tgz', archive],
    ['/models.tar', makeTar(entries)],
    ['/models.zip', makeZip(entries)],
  ])('come from %s', async (path, content) => {
    await using server = await FileServer.start({ [path]: content });
    await using cache = await temporaryFolder();
    const { files: served, reports } = await fetchModels(`${server.url(path)}?sha256=${sha256(content)}`, cache.path);
    expect(served).toEqual(files);
    expect(reports.at(-1)).toMatch(/fetching http.*: 0\.0 of 0\.0 MB of/);
  });

  it('are found in the folder that was packed', async () => {
    const packed = makeZip(entries.map((entry) => ({ ...entry, path: `models/${entry.path}` })));
    await using server = await FileServer.start({ '/m.zip': packed });
    await using cache = await temporaryFolder();
    expect((await fetchModels(server.url('/m.zip'), cache.path)).files).toEqual(files);
  });

  it('are left as they are when the archive has one model', async () => {
    await using server = await FileServer.start({ '/m.zip': makeZip(entries.slice(0, 2)) });
    await using cache = await temporaryFolder();
    const served = await fetchModels(server.url('/m.zip'), cache.path);
    expect(Object.keys(served.files)).toEqual(['iris/1/model.onnx', 'iris/model.json']);
  });

  it('are refused when the archive is not the one that was asked for', async () => {
    await using server = await FileServer.start({ '/m.tar.gz': archive });
    await using cache = await temporaryFolder();
    const end = fetchModels(`${server.url('/m.tar.gz')}?sha256=${'0'.repeat(64)}`, cache.path);
    await expect(end).rejects.toMatchObject({ code: 'MODELS_FETCH_FAILED', received: sha256(archive) });
  });

  it('are checked by the list beside the archive', async () => {
    await using server = await FileServer.start({ '/m.tar.gz': archive });
    await using cache = await temporaryFolder();
    server.files.set('/SHA256SUMS', Buffer.from(`${'1'.repeat(64)}  other.zip\n${sha256(archive)} *m.tar.gz\n`));
    expect((await fetchModels(server.url('/m.tar.gz'), cache.path)).files).toEqual(files);

    server.files.set('/m.tar.gz', gzipSync(makeTar(entries.slice(1))));
    server.files.set('/SHA256SUMS', Buffer.from(`${'1'.repeat(64)}  m.tar.gz\n`));
    const end = fetchModels(server.url('/m.tar.gz'), cache.path);
    await expect(end).rejects.toMatchObject({ code: 'MODELS_FETCH_FAILED', expected: '1'.repeat(64) });
  });

  it('are checked by the list inside of it', async () => {
    const list = (digest: string) => ({ path: 'SHA256SUMS', content: `${digest}  ./resnet.onnx\n` });
    await using server = await FileServer.start({ '/m.tar': makeTar([...entries, list(sha256('more weights'))]) });
    await using cache = await temporaryFolder();
    expect((await fetchModels(server.url('/m.tar'), cache.path)).files).toMatchObject(files);

    server.files.set('/m.tar', makeTar([...entries, list(sha256('fewer weights'))]));
    await expect(fetchModels(server.url('/m.tar'), cache.path)).rejects.toThrow(/resnet\.onnx of SHA256SUMS has/);
  });

  it('are not fetched again when nothing has changed', async () => {
    await using server = await FileServer.start({ '/m.tar.gz': archive });
    await using cache = await temporaryFolder();
    const pinned = `${server.url('/m.tar.gz')}?sha256=${sha256(archive)}`;
    await fetchModels(pinned, cache.path);
    server.requests.length = 0;
    expect((await fetchModels(pinned, cache.path)).files).toEqual(files);
    expect(server.requests).toEqual([]);

    // Without a digest the tag tells: the connection is ended before the body.
    const { reports } = await fetchModels(server.url('/m.tar.gz'), cache.path);
    expect(reports).toHaveLength(1);
  });

  it('follow the archive when it changes', async () => {
    await using server = await FileServer.start({ '/m.tar.gz': archive });
    await using cache = await temporaryFolder();
    await fetchModels(server.url('/m.tar.gz'), cache.path);
    server.files.set('/m.tar.gz', gzipSync(makeTar(entries.slice(2))));
    const { files: served } = await fetchModels(server.url('/m.tar.gz'), cache.path);
    expect(served).toEqual({ 'resnet.onnx': 'more weights' });
  });

  it('are those of an earlier start when the server cannot be reached', async () => {
    await using cache = await temporaryFolder();
    await using server = await FileServer.start({ '/m.tar.gz': archive });
    await fetchModels(server.url('/m.tar.gz'), cache.path);
    server.mishaps.push(...Array.from({ length: 9 }, () => ({ status: 503 })));

    const { files: served, warnings } = await fetchModels(server.url('/m.tar.gz'), cache.path);
    expect(served).toEqual(files);
    expect(warnings.at(-1)).toMatch(/earlier start/);
  });

  it('are an error when there is none of them at the first start', async () => {
    await using cache = await temporaryFolder();
    await using server = await FileServer.start({ '/m.tar.gz': archive });
    server.mishaps.push(...Array.from({ length: 9 }, () => ({ status: 503 })));
    const end = fetchModels(server.url('/m.tar.gz'), cache.path);
    await expect(end).rejects.toMatchObject({ code: 'MODELS_SOURCE_UNAVAILABLE' });
  });
});
