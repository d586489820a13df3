import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryRepository } from '../../helpers/folder.ts';
import { startTestServer, type TestServer } from '../../helpers/server.ts';

let repository: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  repository = await temporaryRepository();
  server = await startTestServer({
    MODELS_DIR: repository.path,
    HEADERS_TIMEOUT_MS: '500',
    UPLOAD_TIMEOUT_MS: '1000',
    KEEP_ALIVE_TIMEOUT_MS: '200',
    MAX_HEADER_BYTES: '4096',
    MAX_CONNECTIONS: '60',
  });
});

afterAll(async () => {
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

async function open(text: string): Promise<{ socket: Socket; end: Promise<string> }> {
  const { hostname, port } = new URL(server.address);
  const socket = connect(Number(port), hostname);
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.on('error', () => {});
  const end = new Promise<string>((resolve) => {
    socket.once('close', () => resolve(Buffer.concat(received).toString()));
  });
  await once(socket, 'connect');
  socket.write(text);
  return { socket, end };
}

/** Writes a byte every 50 ms until the socket is closed: never silent, never done. */
function drip(socket: Socket, byte: string): void {
  const timer = setInterval(() => socket.write(byte), 50);
  socket.once('close', () => clearInterval(timer));
}

describe('a client that sends slowly', () => {
  it('is cut off when its headers take too long, and others are answered meanwhile', async () => {
    const attackers = await Promise.all(
      Array.from({ length: 50 }, () => open('GET /health/live HTTP/1.1\r\nhost: x\r\nx-slow: ')),
    );
    for (const { socket } of attackers) drip(socket, 'a');
    expect((await fetch(new URL('/health/live', server.address))).status).toBe(200);
    const answers = await Promise.all(attackers.map(({ end }) => end));
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 |^$/);
  });

  it('is cut off when its body takes too long', async () => {
    const head = 'POST /v2/models/iris/infer HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
    const withLength = await open(`${head}content-length: 100000\r\n\r\n{`);
    const chunked = await open(`${head}transfer-encoding: chunked\r\n\r\n`);
    drip(withLength.socket, ' ');
    drip(chunked.socket, '1\r\n \r\n');
    expect(await withLength.end).toMatch(/^HTTP\/1\.1 408 |^$/);
    expect(await chunked.end).toMatch(/^HTTP\/1\.1 408 |^$/);
  });

  it('is cut off when it says nothing at all, at first or after an answer', async () => {
    const { end } = await open('');
    expect(await end).toMatch(/^HTTP\/1\.1 408 |^$/);
    const kept = await open('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await kept.end).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('a client that sends too much', () => {
  it('of headers is refused with 431', async () => {
    const { end } = await open(`GET /health/live HTTP/1.1\r\nhost: x\r\nx-large: ${'a'.repeat(5000)}\r\n\r\n`);
    const answer = await end;
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('"code":"HEADERS_TOO_LARGE"');
    expect(answer).toContain('4096 bytes (MAX_HEADER_BYTES)');
    const id = /x-request-id: (\S+)/.exec(answer)?.[1];
    expect(server.logLines).toContainEqual(expect.objectContaining({ request_id: id, status: 431 }));
  });

  it('of requests in one, by two lengths, is refused with 400', async () => {
    const smuggled = 'GET /models HTTP/1.1\r\nhost: x\r\n\r\n';
    const { end } = await open(
      `POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: ${smuggled.length}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    );
    const answer = await end;
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*"code":"MALFORMED_REQUEST"/s);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('of connections has the further ones closed', async () => {
    const held = await Promise.all(Array.from({ length: 60 }, () => open('')));
    const refused = await open('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await refused.end).toBe('');
    for (const { socket } of held) socket.destroy();
    await Promise.all(held.map(({ end }) => end));
    await expect
      .poll(
        () =>
          fetch(new URL('/health/live', server.address)).then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 10_000 },
      )
      .toBe(200);
  });
});
