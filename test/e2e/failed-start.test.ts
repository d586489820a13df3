import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../helpers/folder.ts';
import { projectDir, serverEnvironment } from '../helpers/process.ts';

/** Runs the program whose server cannot start; resolves when it has ended by itself. */
async function failToStart(environment: Record<string, string>) {
  const child = spawn(process.execPath, ['test/fixtures/server-that-cannot-start.ts'], {
    cwd: projectDir,
    env: serverEnvironment({ LOG_LEVEL: 'error', ...environment }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [output, exit] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { output: output.trim(), exit };
}

async function takenPort(): Promise<Server & { readonly port: number }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

describe('a start that fails leaves no port, no process and no timer', () => {
  it.each(['on', 'off'])('when the port of gRPC is taken, with STORAGE %s', async (storage) => {
    await using folder = await temporaryFolder();
    const { port } = await takenPort();
    const failed = await failToStart({ GRPC_PORT: String(port), STORAGE: storage, DATA_DIR: folder.path });
    expect(failed.output).toBe(`SETTINGS_INVALID: GRPC_PORT: cannot listen at 127.0.0.1:${port}`);
    expect(failed.exit).toEqual([0, null]);
  });

  it('when the port of HTTP is taken', async () => {
    const { port } = await takenPort();
    const failed = await failToStart({ PORT: String(port), GRPC_PORT: '0' });
    expect(failed.output).toMatch(/EADDRINUSE/);
    expect(failed.exit).toEqual([0, null]);
  });

  it('when the model repository cannot be read', async () => {
    const failed = await failToStart({ MODELS_DIR: join(projectDir, 'no-such-folder') });
    expect(failed.output).toMatch(/^SETTINGS_INVALID: /);
    expect(failed.exit).toEqual([0, null]);
  });

  it('when the key file is broken, and telemetry has begun', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'keys.json');
    await writeFile(path, '{');
    const failed = await failToStart({ API_KEYS_FILE: path, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
    expect(failed.output).toMatch(/^SETTINGS_INVALID: /);
    expect(failed.exit).toEqual([0, null]);
  });

  it('when the certificate cannot be used, and the key file is followed', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'keys.json');
    await writeFile(path, JSON.stringify({ version: 1, keys: [] }));
    await writeFile(join(folder.path, 'tls.pem'), 'no certificate');
    const pem = join(folder.path, 'tls.pem');
    const failed = await failToStart({ API_KEYS_FILE: path, TLS_CERT: pem, TLS_KEY: pem });
    expect(failed.output).toMatch(/^SETTINGS_INVALID: TLS_CERT, TLS_KEY: /);
    expect(failed.exit).toEqual([0, null]);
  });

  it('when a Redis is away and the port of gRPC is taken', async () => {
    const { port } = await takenPort();
    const redis = 'redis://127.0.0.1:1';
    const failed = await failToStart({ GRPC_PORT: String(port), REDIS_URL: redis, RATE_LIMIT_PER_MINUTE: '10' });
    expect(failed.output).toMatch(/GRPC_PORT: cannot listen/);
    expect(failed.exit).toEqual([0, null]);
  });
});
