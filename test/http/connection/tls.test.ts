import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../../helpers/certificate.ts';
import { type TemporaryFolder, temporaryFolder, temporaryRepository } from '../../helpers/folder.ts';
import { startTestServer, type TestServer } from '../../helpers/server.ts';

const [first, second] = [selfSigned('first'), selfSigned('second')];

let repository: TemporaryFolder;
let folder: TemporaryFolder;
let server: TestServer;
let files: { TLS_CERT: string; TLS_KEY: string };

async function write({ cert, key }: { cert: string; key: string }): Promise<void> {
  await writeFile(files.TLS_CERT, cert);
  await writeFile(files.TLS_KEY, key);
}

beforeAll(async () => {
  repository = await temporaryRepository();
  folder = await temporaryFolder();
  files = { TLS_CERT: join(folder.path, 'cert.pem'), TLS_KEY: join(folder.path, 'key.pem') };
  await write(first);
  server = await startTestServer({ MODELS_DIR: repository.path, ...files });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
  await repository[Symbol.asyncDispose]();
});

/** Status and headers of `GET /health/live`, over a new connection to a server with this certificate. */
async function health(ca: string, path = '/health/live') {
  const request = get(new URL(path, server.address), { ca, agent: false });
  const [response] = await once(request, 'response');
  response.resume();
  return { status: response.statusCode, headers: response.headers };
}

describe('TLS_CERT and TLS_KEY', () => {
  it('serve HTTPS, and tell browsers to stay with it', async () => {
    expect(server.address).toMatch(/^https:/);
    const { status, headers } = await health(first.cert);
    expect(status).toBe(200);
    expect(headers['strict-transport-security']).toMatch(/max-age=\d+/);
    expect((await health(first.cert, '/docs')).headers['cross-origin-opener-policy']).toBe('same-origin');
  });

  it('do not answer plain HTTP', async () => {
    const { hostname, port } = new URL(server.address);
    const socket = connectPlain(Number(port), hostname);
    socket.on('error', () => {});
    socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
    const answer: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => answer.push(chunk));
    await once(socket, 'close');
    expect(Buffer.concat(answer).toString()).not.toMatch(/200|live/);
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('do not speak %s', async (version) => {
    const { hostname, port } = new URL(server.address);
    const options = { host: hostname, port: Number(port), ca: first.cert, minVersion: version, maxVersion: version };
    const socket = connect({ ...options, ciphers: 'DEFAULT@SECLEVEL=0' });
    await expect(once(socket, 'secureConnect')).rejects.toThrow();
  });

  it('are followed: a broken pair changes nothing, a new one is shown to new connections, and old ones live on', async () => {
    const { hostname, port } = new URL(server.address);
    const old = connect({ host: hostname, port: Number(port), ca: first.cert });
    await once(old, 'secureConnect');

    await writeFile(files.TLS_KEY, second.key);
    await expect
      .poll(() => server.logLines.map(({ msg }) => msg))
      .toContainEqual(expect.stringMatching(/cannot be used; the old one stays/));
    expect(await health(first.cert)).toMatchObject({ status: 200 });

    await write(second);
    await expect.poll(() => health(second.cert)).toMatchObject({ status: 200 });
    await expect(health(first.cert)).rejects.toThrow(/self-signed|certificate/);

    old.write('GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const [chunk] = await once(old, 'data');
    expect(String(chunk)).toMatch(/^HTTP\/1\.1 200/);
    old.destroy();
  });

  it('stop the start when they cannot be used', async () => {
    const start = (environment: Record<string, string>) =>
      startTestServer({ MODELS_DIR: repository.path, ...files, ...environment });
    await expect(start({ TLS_CERT: '/nonexistent/cert' })).rejects.toThrow(/TLS_CERT.*\/nonexistent\/cert/);
    await write(second);
    const other = join(folder.path, 'other.pem');
    await writeFile(other, first.key);
    await expect(start({ TLS_KEY: other })).rejects.toThrow(/TLS_KEY.*mismatch/i);
  });
});
