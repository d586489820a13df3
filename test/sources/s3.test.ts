import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeZip } from '../helpers/archives.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { partsEtag, S3Server } from '../helpers/s3-server.ts';
import { fetchModels } from './remote-models.ts';

const objects = {
  'prod/': '',
  'prod/iris/1/model.onnx': 'weights',
  'prod/iris/model.json': '{"description":"a & b"}',
  'prod/r & b=d+e/1/model.onnx': 'more weights',
  'prod2/other.onnx': 'not ours',
  'production.onnx': 'nor this',
};
const files = {
  'iris/1/model.onnx': 'weights',
  'iris/model.json': '{"description":"a & b"}',
  'r & b=d+e/1/model.onnx': 'more weights',
};

describe('models from a bucket', () => {
  it('are all that lies below the prefix', async () => {
    await using server = await S3Server.start(objects);
    await using cache = await temporaryFolder();
    const { files: served, warnings } = await fetchModels('s3://bucket/prod', cache.path, server.environment);
    expect(served).toEqual(files);
    expect(warnings).toEqual([]);
    expect(server.requests.every(({ isSigned }) => isSigned)).toBe(true);
  });

  it('are asked for without a signature when there is no key', async () => {
    await using server = await S3Server.start(objects);
    await using cache = await temporaryFolder();
    server.isPublic = true;
    const environment = { AWS_ENDPOINT_URL: server.endpoint };
    expect((await fetchModels('s3://bucket/prod', cache.path, environment)).files).toEqual(files);
    expect(server.requests.some(({ isSigned }) => isSigned)).toBe(false);
  });

  it('are asked for with the token of temporary keys', async () => {
    await using server = await S3Server.start(objects);
    await using cache = await temporaryFolder();
    const environment = { ...server.environment, AWS_SESSION_TOKEN: 'token' };
    expect((await fetchModels('s3://bucket/prod', cache.path, environment)).files).toEqual(files);
    expect(server.requests.every(({ token }) => token === 'token')).toBe(true);
  });

  it.each([
    ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 'wrong' }, 's3://bucket/prod', /AccessDenied.*AWS_ACCESS_KEY_ID/],
    ['no such bucket', {}, 's3://bocket/prod', /NoSuchBucket/],
    ['nothing below the prefix', {}, 's3://bucket/prud', /nothing below "prud\/"/],
  ])('are an error at once with %s', async (_, overrides, uri, message) => {
    await using server = await S3Server.start(objects);
    await using cache = await temporaryFolder();
    await expect(fetchModels(uri, cache.path, { ...server.environment, ...overrides })).rejects.toMatchObject({
      code: 'MODELS_FETCH_FAILED',
      message: expect.stringMatching(message),
    });
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ['../outside', /is refused/],
    ['iris/../../../outside', /is refused/],
    ['iris/1/..', /is refused/],
    ['/etc/outside', /is refused/],
    ['iris\\..\\outside', /is refused/],
    ['iris/\0/model.onnx', /is refused|MODELS_FETCH_FAILED/],
    ['iris/./1/model.onnx', /are the same file/],
  ])('lead nowhere but below their folder: %j', async (name, message) => {
    await using server = await S3Server.start({ ...objects, [`prod/${name}`]: 'from outside' });
    await using cache = await temporaryFolder();
    await expect(fetchModels('s3://bucket/prod', join(cache.path, 'cache'), server.environment)).rejects.toMatchObject({
      code: 'MODELS_FETCH_FAILED',
      message: expect.stringMatching(message),
    });
    expect(await readdir(cache.path)).toEqual(['cache']);
  });

  it('come only where they have changed', async () => {
    await using server = await S3Server.start(objects);
    await using cache = await temporaryFolder();
    await fetchModels('s3://bucket/prod', cache.path, server.environment);
    server.requests.length = 0;
    await fetchModels('s3://bucket/prod', cache.path, server.environment);
    expect(server.gets()).toEqual([]);

    server.objects.set('prod/iris/2/model.onnx', Buffer.from('better weights'));
    server.objects.delete('prod/r & b=d+e/1/model.onnx');
    const { files: served } = await fetchModels('s3://bucket/prod', cache.path, server.environment);
    expect(server.gets()).toEqual(['prod/iris/2/model.onnx']);
    expect(Object.keys(served)).toEqual(['iris/1/model.onnx', 'iris/2/model.onnx', 'iris/model.json']);
  });

  it('are listed again when one changes meanwhile', async () => {
    await using server = await S3Server.start({ 'a.onnx': 'old' });
    await using cache = await temporaryFolder();
    server.onGet = () => {
      server.objects.set('a.onnx', Buffer.from('new'));
      server.onGet = () => undefined;
    };
    const { files: served } = await fetchModels('s3://bucket', cache.path, server.environment);
    expect(served).toEqual({ 'a.onnx': 'new' });
  });

  it.each([
    ['its ETag', {}],
    ['its SHA-256', { 'x-amz-checksum-sha256': 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=' }],
    ['its CRC-64', { 'x-amz-checksum-crc64nvme': 'BeXKuz/B+us=' }],
    ['the ETag of its parts', { etag: partsEtag(Buffer.from('abc')) }],
  ])('are refused when one does not fit %s', async (_, headers) => {
    await using server = await S3Server.start({ 'a.onnx': 'abc' });
    await using cache = await temporaryFolder();
    server.extraHeaders.set('a.onnx', headers);
    server.spoil = () => Buffer.from('abd');
    const end = fetchModels('s3://bucket', cache.path, server.environment);
    await expect(end).rejects.toMatchObject({
      code: 'MODELS_FETCH_FAILED',
      message: expect.stringContaining('a.onnx'),
    });

    server.spoil = (bytes) => bytes;
    const { files: served, warnings } = await fetchModels('s3://bucket', cache.path, server.environment);
    expect(served).toEqual({ 'a.onnx': 'abc' });
    expect(warnings).toEqual([]);
  });

  it('are not checked by the ETag of an encrypted object, which is no digest', async () => {
    await using server = await S3Server.start({ 'a.onnx': 'abc' });
    await using cache = await temporaryFolder();
    server.extraHeaders.set('a.onnx', { 'x-amz-server-side-encryption': 'aws:kms', etag: 'f'.repeat(32) });
    const { warnings } = await fetchModels('s3://bucket', cache.path, server.environment);
    expect(warnings).toEqual([expect.stringContaining('no digest')]);
  });

  it.each(['../evil.onnx', 'a/../../evil.onnx', '/etc/evil.onnx', 'a//b.onnx'])('refuse the key %j', async (key) => {
    await using server = await S3Server.start({ [`prod/${key}`]: 'weights' });
    await using cache = await temporaryFolder();
    const end = fetchModels('s3://bucket/prod/', cache.path, server.environment);
    await expect(end).rejects.toThrow(/is refused/);
  });

  it('can be an archive', async () => {
    const archive = makeZip([{ path: 'a.onnx', content: 'weights' }]);
    await using server = await S3Server.start({ 'x/m.zip': archive });
    await using cache = await temporaryFolder();
    const { files: served } = await fetchModels('s3://bucket/x/m.zip', cache.path, server.environment);
    expect(served).toEqual({ 'a.onnx': 'weights' });
  });
});
