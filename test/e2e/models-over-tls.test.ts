import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { makeTar } from '../helpers/archives.ts';
import { selfSigned } from '../helpers/certificate.ts';
import { FileServer } from '../helpers/file-server.ts';
import { shippedModelsDir, type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { projectDir, startProcess } from '../helpers/process.ts';
import { postJson } from '../helpers/server.ts';

const flower = { sepal_length: 5.9, sepal_width: 3.0, petal_length: 5.1, petal_width: 1.8 };

/** A server by HTTPS, and the settings with which a process trusts it and keeps what it fetches in `cache`. */
async function startTlsServer(cache: TemporaryFolder, listener: RequestListener) {
  const certificate = selfSigned('models');
  const server = createServer(certificate, listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const authority = join(cache.path, 'authority.pem');
  await writeFile(authority, certificate.cert);
  return {
    address: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    environment: { NODE_EXTRA_CA_CERTS: authority, MODELS_CACHE_DIR: cache.path },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

it('models are fetched by TLS, and served', async () => {
  await using cache = await temporaryFolder();
  const model = await readFile(join(shippedModelsDir, 'iris/1/model.onnx'));
  const archive = gzipSync(makeTar([{ path: 'iris/1/model.onnx', content: model }]));
  await using source = await startTlsServer(cache, (_request, response) => response.end(archive));
  const sha256 = createHash('sha256').update(archive).digest('hex');

  const uri = `${source.address}/models.tar.gz?sha256=${sha256}`;
  await using server = await startProcess({ ...source.environment, MODELS_URI: uri });
  expect((await postJson(server.address, '/iris/predict', flower)).body).toMatchObject({ species: 'virginica' });
});

it('models are refused when the way to them leaves TLS', async () => {
  await using cache = await temporaryFolder();
  await using plain = await FileServer.start({ '/models.tar.gz': gzipSync(makeTar([])) });
  const location = plain.url('/models.tar.gz').href;
  await using source = await startTlsServer(cache, (_request, response) => response.writeHead(302, { location }).end());

  const uri = `${source.address}/models.tar.gz?sha256=${'0'.repeat(64)}`;
  const child = spawn(process.execPath, ['src/main.ts', 'serve'], {
    cwd: projectDir,
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0', STORAGE: 'off', ...source.environment, MODELS_URI: uri },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(code).toBe(1);
  expect(said).toContain('the server sends us on to an address without TLS');
});
