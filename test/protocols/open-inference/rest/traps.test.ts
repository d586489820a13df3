import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestServer } from '../../../helpers/server.ts';
import { get, post, serveFixtures } from './client.ts';

let server: TestServer;

beforeAll(async () => {
  server = await serveFixtures(['copy']);
});

afterAll(() => server.stop());

const request = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 1], datatype: 'FP32', data: [7] }] });

/** Sends the bytes as they are, and gives all that comes back until the server ends the connection. */
async function exchange(...lines: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(server.address);
  const socket = connect(Number(port), hostname);
  socket.setEncoding('utf8');
  let received = '';
  socket.on('data', (text: string) => {
    received += text;
  });
  socket.write(lines.join('\r\n'));
  await once(socket, 'end');
  return received;
}

const head = (path: string, ...headers: readonly string[]) => [
  `POST ${path} HTTP/1.1`,
  'Host: localhost',
  'Connection: close',
  ...headers,
  '',
];

describe('the body of a request', () => {
  it.each([
    undefined,
    'application/json',
    'application/json; charset=utf-8',
    'application/octet-stream',
    'application/x-www-form-urlencoded',
    'text/plain',
    'multipart/form-data',
    'nonsense',
  ])('is JSON, whatever its type says: %s', async (type) => {
    const headers: string[] = type === undefined ? [] : [`Content-Type: ${type}`];
    const reply = await exchange(
      ...head('/v2/models/copy/infer', `Content-Length: ${request.length}`, ...headers),
      request,
    );
    expect(reply).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(reply).toContain('"data":[7]');
  });

  it('may have a null beside the size of an empty binary tensor, as from KServe', async () => {
    const empty = { name: 'x', shape: [0, 1], datatype: 'FP32', data: null, parameters: { binary_data_size: 0 } };
    const reply = await post(server.address, '/v2/models/copy/infer', JSON.stringify({ inputs: [empty] }));
    expect(reply.status).toBe(200);
    expect(reply.json.outputs).toMatchObject([{ shape: [0, 1], data: [] }]);
  });

  it.each([
    ['/v2/repository/index', '[{"name":"copy"'],
    ['/v2/repository/models/copy/load', ''],
    ['/v2/repository/models/unknown/unload', ''],
  ])('may be absent at %s, said in any way', async (path, answer) => {
    for (const headers of [
      [],
      ['Content-Length: 0'],
      ['Content-Type: application/octet-stream', 'Content-Length: 0'],
      ['Content-Type: application/octet-stream'],
      ['Transfer-Encoding: chunked'],
    ]) {
      const chunks = headers.includes('Transfer-Encoding: chunked') ? ['0', '', ''] : [''];
      const reply = await exchange(...head(path, ...headers), ...chunks);
      expect(reply, headers.join()).toMatch(/^HTTP\/1\.1 200 OK/);
      expect(reply).toContain(answer);
    }
  });

  it('may come in chunks', async () => {
    const half = Math.floor(request.length / 2);
    const chunk = (text: string) => [text.length.toString(16), text];
    const reply = await exchange(
      ...head('/v2/models/copy/infer', 'Transfer-Encoding: chunked'),
      ...chunk(request.slice(0, half)),
      ...chunk(request.slice(half)),
      ...['0', '', ''],
    );
    expect(reply).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('that breaks off takes nothing with it', async () => {
    const { hostname, port } = new URL(server.address);
    const socket = connect(Number(port), hostname);
    socket.write(head('/v2/models/copy/infer', 'Content-Length: 1000').concat('{"inputs":').join('\r\n'));
    await once(socket, 'connect');
    socket.destroy();
    await once(socket, 'close');
    expect((await post(server.address, '/v2/models/copy/infer', request)).status).toBe(200);
  });

  it('may have members that the protocol does not know', async () => {
    const known = JSON.parse(request);
    const body = { ...known, model_name: 'copy', inputs: [{ ...known.inputs[0], unknown: [{}] }] };
    expect((await post(server.address, '/v2/models/copy/infer', body)).status).toBe(200);
  });
});

describe('health', () => {
  it('answers with the members that KServe reads', async () => {
    expect(await get(server.address, '/v2/health/live')).toMatchObject({ status: 200, json: { live: true } });
    const ready = await get(server.address, '/v2/health/ready');
    expect(ready).toMatchObject({ status: 200, json: { ready: true, live: true } });
  });
});

describe('names', () => {
  it('may be percent-encoded', async () => {
    expect((await get(server.address, '/v2/models/c%6Fpy')).json).toMatchObject({ name: 'copy' });
  });

  it('may have 128 characters', async () => {
    const reply = await get(server.address, `/v2/models/${'a'.repeat(128)}`);
    expect(reply).toMatchObject({ status: 404, json: { error: expect.stringMatching(/no model "a{128}"/) } });
  });
});
