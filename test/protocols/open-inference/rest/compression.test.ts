import { request } from 'node:http';
import { deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseCoding } from '../../../../src/protocols/open-inference/rest/infer/compression.ts';
import type { TestServer } from '../../../helpers/server.ts';
import { binaryBody, bytesOf, post, serveFixtures } from './client.ts';

let server: TestServer;

beforeAll(async () => {
  server = await serveFixtures(['copy'], { settings: { BODY_LIMIT_BYTES: '1000000' } });
});

afterAll(() => server.stop());

const path = '/v2/models/copy/infer';
const values = Float32Array.from({ length: 1000 }, (_, index) => index);
const input = { name: 'x', shape: [1, 1000], datatype: 'FP32', parameters: { binary_data_size: 4000 } };
const binary = binaryBody({ inputs: [input], parameters: { binary_data_output: true } }, bytesOf(values));

describe('compressed requests', () => {
  it.each([
    ['gzip', gzipSync],
    ['GZip', gzipSync],
    ['deflate', deflateSync],
    ['identity', (bytes: Uint8Array) => bytes],
  ] as const)('are taken: %s', async (coding, encode) => {
    const headers = { ...binary.headers, 'content-encoding': coding };
    const reply = await post(server.address, path, encode(binary.body), headers);
    expect(reply.status).toBe(200);
    expect(reply.sections['y']).toEqual(bytesOf(values));
  });

  it.each([
    ['gzip', new Uint8Array(100), /not valid gzip: incorrect header check/],
    ['gzip', gzipSync(binary.body).subarray(0, 50), /not valid gzip: unexpected end of file/],
    ['deflate', deflateRawSync(binary.body), /not valid deflate/],
  ])('are refused when they are not what they say: %s', async (coding, body, reason) => {
    const reply = await post(server.address, path, body, { 'content-encoding': coding });
    expect(reply.status).toBe(400);
    expect(reply.json.error).toMatch(reason);
  });

  it('of an unknown coding are refused, and the known ones named', async () => {
    const reply = await post(server.address, path, 'x', { 'content-encoding': 'br' });
    expect(reply.status).toBe(415);
    expect(reply.headers.get('accept-encoding')).toBe('gzip, deflate');
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const)('that would grow beyond the limit are refused: %s', async (coding, encode) => {
    const bomb = encode(new Uint8Array(100_000_000), { level: 9 });
    expect(bomb.byteLength).toBeLessThan(1_000_000);
    const before = process.memoryUsage().arrayBuffers;
    const reply = await post(server.address, path, bomb, { 'content-encoding': coding });
    expect(reply.status).toBe(413);
    expect(reply.json.error).toMatch(/at most 1000000 bytes are allowed \(BODY_LIMIT_BYTES\), decompressed too/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });
});

/** The reply as it comes over the wire; `fetch` would decompress it. */
function raw(acceptEncoding: string, body: Uint8Array = binary.body, headers: Record<string, string> = binary.headers) {
  return new Promise<{ headers: Record<string, unknown>; bytes: Buffer }>((resolve, reject) => {
    const options = { method: 'POST', headers: { ...headers, 'accept-encoding': acceptEncoding } };
    const sent = request(server.address + path, options, async (response) => {
      const bytes = Buffer.concat(await response.toArray());
      resolve({ headers: response.headers, bytes });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('compressed replies', () => {
  it.each([
    ['gzip', 'gzip', gunzipSync],
    ['deflate', 'deflate', inflateSync],
    ['gzip, deflate', 'gzip', gunzipSync],
    ['gzip;q=0.5, deflate', 'deflate', inflateSync],
  ] as const)('are what Accept-Encoding prefers: %s', async (accept, coding, decode) => {
    const { headers, bytes } = await raw(accept);
    expect(headers).toMatchObject({ 'content-encoding': coding, 'content-length': String(bytes.byteLength) });
    const body = decode(bytes);
    // The length is that of the JSON before it was compressed.
    const jsonBytes = Number(headers['inference-header-content-length']);
    expect(JSON.parse(body.toString('utf8', 0, jsonBytes))).toMatchObject({ model_name: 'copy' });
    expect(new Uint8Array(body.subarray(jsonBytes))).toEqual(bytesOf(values));
  });

  it('are left as they are when nothing would be gained, and when they are errors', async () => {
    const one = { inputs: [{ name: 'x', shape: [1, 1], datatype: 'FP32', data: [7] }] };
    const small = await raw('gzip', Buffer.from(JSON.stringify(one)), {});
    expect(small.headers['content-encoding']).toBeUndefined();
    const inputs = Array.from({ length: 50 }, (_, index) => ({ ...one.inputs[0], name: `wrong ${index}` }));
    const error = await raw('gzip', Buffer.from(JSON.stringify({ inputs })), {});
    expect(error.bytes.byteLength).toBeGreaterThan(1024);
    expect(error.headers['content-encoding']).toBeUndefined();
  });

  it.each([
    [undefined, undefined],
    ['', undefined],
    ['br', undefined],
    ['*', undefined],
    ['identity', undefined],
    ['gzip', 'gzip'],
    ['deflate, gzip', 'gzip'],
    ['GZIP;Q=0.2, Deflate;q=0.3', 'deflate'],
    ['gzip;q=0', undefined],
    ['gzip;q=0, deflate;q=0.1', 'deflate'],
    ['gzip, identity', undefined],
    ['gzip, identity;q=0.5', 'gzip'],
    ['gzip;q=nonsense', undefined],
  ])('%s means %s', (header, coding) => {
    expect(chooseCoding(header)).toBe(coding);
  });
});
