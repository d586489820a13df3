import { describe, expect, it, test } from 'vitest';
import { readRemoteFile } from '../../../src/inference/remote/file/read-remote-file.ts';

const secrets = new Map([
  ['REMOTE_TOKEN', 's3cret'],
  ['REMOTE_EMPTY', undefined],
  ['REMOTE_BROKEN', 'a\r\nb: c'],
]);
const least = { urls: ['http://gpu-1:8000'], model: 'resnet50' };

/** As the file names a secret. */
function named(name: string): string {
  return `$\{${name}}`;
}

function read(remote: object | string) {
  return readRemoteFile('m/1/remote.json', typeof remote === 'string' ? remote : JSON.stringify(remote), secrets);
}

function faultsOf(remote: object | string): { readonly path: string; readonly message: string }[] {
  try {
    read(remote);
  } catch (thrown) {
    const { code, faults, message } = thrown as {
      code: string;
      message: string;
      faults: { location: string[]; message: string }[];
    };
    expect(code).toBe('REMOTE_INVALID');
    expect(message).not.toMatch(/s3cret|hunter2/);
    return faults.map((fault) => ({ path: fault.location.join('.'), message: fault.message }));
  }
  throw new Error('it has no faults');
}

describe('remote.json', () => {
  it('needs a URL and a model, and has defaults for the rest', () => {
    expect(read(least)).toMatchObject({
      protocol: 'http',
      concurrency: 64,
      connectTimeoutMs: 500,
      headers: {},
      inputs: [],
      outputs: [],
    });
    expect(read({ ...least, urls: ['grpcs://gpu-1:8001'] })).toMatchObject({ protocol: 'grpc' });
    expect(read({ ...least, version: 3 })).toMatchObject({ version: '3' });
  });

  it('has secrets by the names that the operator allows', () => {
    const headers = { Authorization: `Bearer ${named('REMOTE_TOKEN')}`, 'x-cost': '$5' };
    expect(read({ ...least, headers }).headers).toEqual({ authorization: 'Bearer s3cret', 'x-cost': '$5' });
  });

  test.each<[object, string, RegExp]>([
    [{ ...least, url: 'http://a' }, 'url', /did you mean "urls"\?/],
    [{ ...least, conccurency: 3 }, 'conccurency', /did you mean "concurrency"\?/],
    [{ ...least, urls: [] }, 'urls', /at least 1/],
    [{ ...least, urls: Array.from({ length: 17 }, (_, index) => `http://h${index}`) }, 'urls', /at most 16/],
    [{ ...least, urls: ['ftp://a'] }, 'urls.0', /expected http:\/\//],
    [{ ...least, urls: ['http://me:hunter2@a'] }, 'urls.0', /no user and no password/],
    [{ ...least, urls: ['http://a?token=hunter2'] }, 'urls.0', /nothing behind the path/],
    [{ ...least, urls: ['grpc://a'] }, 'urls.0', /expected a port/],
    [{ ...least, urls: ['grpc://a:1/x'] }, 'urls.0', /no path/],
    [{ ...least, urls: ['http://a', 'grpc://b:1'] }, 'urls.1', /found grpc; expected http/],
    [{ ...least, urls: ['http://a', 'http://a'] }, 'urls.1', /once/],
    [{ ...least, protocol: 'grpc' }, 'urls.0', /found http; expected grpc/],
    [{ urls: ['http://a'] }, 'model', /is missing/],
    [{ ...least, concurrency: 0 }, 'concurrency', /at least 1/],
    [{ ...least, headers: { a: named('HOME') } }, 'headers.a', /REMOTE_SECRETS does not name/],
    [{ ...least, headers: { a: named('REMOTE_TOKEM') } }, 'headers.a', /did you mean REMOTE_TOKEN\?/],
    [{ ...least, headers: { a: named('REMOTE_EMPTY') } }, 'headers.a', /environment has no REMOTE_EMPTY/],
    [{ ...least, headers: { a: named('REMOTE_BROKEN') } }, 'headers.a', /printable ASCII/],
    [{ ...least, headers: { 'a b': 'c' } }, 'headers.a b', /name of a header/],
    [{ ...least, headers: { Host: 'c' } }, 'headers.Host', /another header/],
    [{ ...least, inputs: [{ name: 'x', datatype: 'FP32', shape: [1] }] }, 'outputs', /is missing/],
    [{ ...least, inputs: [{ name: 'x', datatype: 'FP31', shape: [1] }] }, 'inputs.0.datatype', /FP32/],
    [{ ...least, tls: { cert: 'a' } }, 'tls.cert', /no such key/],
  ])('refuses %j', (remote, path, message) => {
    expect(faultsOf(remote)).toContainEqual({ path, message: expect.stringMatching(message) });
  });

  it('has every fault told at once', () => {
    const faults = faultsOf({ urls: ['x'], modell: 'm', concurrency: -1, headers: { a: named('HOME') } });
    expect(faults.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['urls.0', 'modell', 'model', 'concurrency', 'headers.a']),
    );
  });

  it('is refused when it is no JSON, and nothing of it is shown', () => {
    expect(() => read('{"urls": hunter2')).toThrow(/m\/1\/remote.json is not valid JSON/);
    expect(() => read('{"urls": hunter2')).not.toThrow(/hunter2/);
    expect(() => read('['.repeat(1000))).toThrow(/nesting/);
  });
});
