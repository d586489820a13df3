import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../helpers/folder.ts';
import { addIdentityModel } from '../../helpers/identity-model.ts';
import { startReadyServer, type TestServer } from '../../helpers/server.ts';

let repository: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  repository = await temporaryFolder();
  await addIdentityModel(repository.path, 'echo', 'FP32');
  server = await startReadyServer(
    { MODELS_DIR: repository.path, ANSWER_STALL_TIMEOUT_MS: '1000', LOG_LEVEL: 'info' },
    [],
  );
});

afterAll(async () => {
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

async function open(address = server.address): Promise<Socket> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

function predict(numbers: readonly number[], more = ''): string {
  const body = JSON.stringify({ x: [numbers] });
  return `POST /models/echo/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${more}content-length: ${body.length}\r\n\r\n${body}`;
}

/** The answer is larger than the buffers of both ends hold. */
function predictLarge(): Buffer {
  const bytes = 32_000_000;
  const input = { name: 'x', datatype: 'FP32', shape: [1, bytes / 4], parameters: { binary_data_size: bytes } };
  const json = JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } });
  const head = `POST /v2/models/echo/infer HTTP/1.1\r\nhost: x\r\ninference-header-content-length: ${json.length}\r\n`;
  const length = `content-length: ${json.length + bytes}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head + length + json), Buffer.alloc(bytes)]);
}

const answered = () => server.logLines.filter(({ model }) => model === 'echo').length;
const openConnections = () =>
  new Promise<number>((resolve) => server.app.server.getConnections((_, count) => resolve(count)));

describe('requests that are pipelined', () => {
  it('are answered in order, also when a body comes in pieces', async () => {
    const socket = await open();
    const requests = Array.from({ length: 40 }, (_, index) =>
      predict([index], index === 39 ? 'connection: close\r\n' : ''),
    );
    const all = requests.join('');
    const middle = all.length - 3;
    socket.write(all.slice(0, middle));
    setImmediate(() => socket.write(all.slice(middle)));
    const answers = await text(socket);
    expect([...answers.matchAll(/\{"y":\[\[(\d+)\]\]\}/g)].map(([, number]) => Number(number))).toEqual(
      Array.from({ length: 40 }, (_, index) => index),
    );
  });

  it('are begun one at a time while an answer is owed', async () => {
    const socket = await open();
    socket.pause();
    const before = answered();
    socket.write(predictLarge());
    socket.write(Array.from({ length: 300 }, () => predict([1])).join(''));
    const small = Buffer.from(predict([1]).repeat(10_000));
    for (let sent = 0; sent < 40e6; sent += small.byteLength) socket.write(small);
    // Not all of it is read: what is left is known before the connection ends.
    const left = once(server.app.server, 'timeout').then(() => socket.writableLength);
    expect(await left).toBeGreaterThan(0);
    // The first was being written when the client was given up; none of the 300 was begun.
    expect(answered() - before).toBeLessThanOrEqual(1);
    await expect.poll(openConnections).toBe(0);
  });
});

describe('an answer', () => {
  it('that the client does not read ends its connection after ANSWER_STALL_TIMEOUT_MS', async () => {
    const socket = await open();
    socket.pause();
    socket.write(predictLarge());
    await expect.poll(openConnections).toBe(1);
    await expect.poll(openConnections).toBe(0);
  });

  it('that takes its time is waited for', async () => {
    const slow = await startReadyServer({ MODELS_DIR: repository.path, ANSWER_STALL_TIMEOUT_MS: '100' }, []);
    onTestFinished(() => slow.stop());
    const socket = await open(slow.address);
    const request = predict([7], 'connection: close\r\n');
    socket.write(request.slice(0, -5));
    // Three times as long as an answer may stand still.
    for (let timeouts = 0; timeouts < 3; timeouts += 1) await once(slow.app.server, 'timeout');
    socket.write(request.slice(-5));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*\{"y":\[\[7\]\]\}/s);
  });
});
