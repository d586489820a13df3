import { describe, expect, it } from 'vitest';
import { parseModelsUri } from '../../src/sources/models-uri.ts';

describe('parseModelsUri', () => {
  it.each([
    ['s3://bucket/a/b', { kind: 's3-folder', bucket: 'bucket', prefix: 'a/b/' }],
    ['s3://bucket/a/', { kind: 's3-folder', prefix: 'a/' }],
    ['s3://bucket', { kind: 's3-folder', prefix: '' }],
    ['s3://bucket/a%20b', { kind: 's3-folder', prefix: 'a b/' }],
    ['s3://bucket/a/m.tar.gz', { kind: 's3-archive', bucket: 'bucket', key: 'a/m.tar.gz', format: 'tar' }],
    ['https://host/m.ZIP', { kind: 'web-archive', format: 'zip' }],
    ['http://localhost:9/m.tgz', { kind: 'web-archive', format: 'tar' }],
    ['http://[::1]:9/m.tgz', { kind: 'web-archive', format: 'tar' }],
  ])('reads %s', (uri, expected) => {
    expect(parseModelsUri(uri)).toMatchObject(expected);
  });

  it.each([
    ['models', /expected s3/],
    ['ftp://host/m.zip', /expected s3/],
    ['file:///etc/m.zip', /expected s3/],
    ['http://host/m.zip', /this machine only/],
    ['http://localhost.evil.example/m.zip', /this machine only/],
    ['https://host/models', /tar\.gz/],
    ['https://me:secret@host/m.zip', /credentials/],
    ['https://host/m.zip?sha256=12', /64 hexadecimal/],
    [`s3://bucket/folder?sha256=${'0'.repeat(64)}`, /belongs to an archive/],
  ])('refuses %s', (uri, message) => {
    expect(() => parseModelsUri(uri)).toThrow(message);
  });

  it('takes the digest out of a signed address and leaves the rest to the letter', () => {
    const digest = 'ab'.repeat(32);
    const source = parseModelsUri(`https://host/m.zip?X-Amz-Sign=a%2Fb+c&sha256=${digest.toUpperCase()}&x=~`);
    expect(source).toMatchObject({ sha256: digest });
    expect(source.kind === 'web-archive' && source.url.href).toBe('https://host/m.zip?X-Amz-Sign=a%2Fb+c&x=~');
    expect(parseModelsUri(`https://host/m.zip?sha256=${digest}`)).toMatchObject({ url: new URL('https://host/m.zip') });
  });

  it('shows no query', () => {
    expect(parseModelsUri('https://host/m.zip?signature=secret').display).toBe('https://host/m.zip');
  });

  it('gives the same place in the cache whatever the digest', () => {
    const plain = parseModelsUri('https://host/m.zip').id;
    expect(parseModelsUri(`https://host/m.zip?sha256=${'0'.repeat(64)}`).id).toBe(plain);
    expect(parseModelsUri('https://host/n.zip').id).not.toBe(plain);
  });
});
