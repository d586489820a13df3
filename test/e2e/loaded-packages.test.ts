import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { writeRemote } from '../graphs/write-remote.ts';
import { cachedRepository } from '../helpers/cached-model.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { projectDir, startProcess } from '../helpers/process.ts';

const recorder = pathToFileURL(join(projectDir, 'test/helpers/record-packages.ts')).href;

/** A server, and the packages that its main process has loaded so far. */
async function startRecorded(environment: Record<string, string> = {}) {
  const folder = await temporaryFolder();
  const server = await startProcess({
    ...environment,
    RECORD_PACKAGES: folder.path,
    NODE_OPTIONS: `--import=${recorder}`,
  });
  return {
    address: server.address,
    loaded: () =>
      new Set(
        readFileSync(join(folder.path, String(server.child.pid)), 'utf8')
          .trim()
          .split('\n'),
      ),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** What only some servers need; each costs megabytes that the others should not pay for. */
const optional = [
  '@bradenmacdonald/s3-lite-client',
  '@fastify/cors',
  '@fastify/rate-limit',
  '@grpc/grpc-js',
  '@marcbachmann/cel-js',
  '@opentelemetry/sdk-metrics',
  '@opentelemetry/sdk-trace',
  'ioredis',
  'lru-cache',
  'onnxruntime-node',
  'pino-pretty',
  'sharp',
  'tar',
  'tokenizers',
  'yauzl',
];

describe('a program that imports inferd', () => {
  it('loads zod alone before it calls anything', async () => {
    await using folder = await temporaryFolder();
    const program = `await import(${JSON.stringify(join(projectDir, 'src/index.ts'))}); console.log(process.pid)`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      env: { ...process.env, RECORD_PACKAGES: folder.path, NODE_OPTIONS: `--import=${recorder}` },
    });
    expect(readFileSync(join(folder.path, stdout.trim()), 'utf8').trim().split('\n')).toEqual(['zod']);
  });
});

describe('the main process', () => {
  it('loads no package that nothing has been switched on for', async () => {
    await using server = await startRecorded();
    const loaded = server.loaded();
    expect(loaded).toContain('fastify');
    expect(optional.filter((name) => loaded.has(name))).toEqual([]);
  });

  it.each([
    [{ GRPC_PORT: '0' }, ['@grpc/grpc-js']],
    [{ RATE_LIMIT_PER_MINUTE: '1000' }, ['@fastify/rate-limit']],
    [{ CORS_ORIGINS: 'https://example.org' }, ['@fastify/cors']],
  ])('loads what %j needs, and nothing else', async (environment, needed) => {
    await using server = await startRecorded(environment);
    const loaded = server.loaded();
    expect(optional.filter((name) => loaded.has(name))).toEqual(needed);
  });

  it.each([
    ['http', []],
    ['grpc', ['@grpc/grpc-js']],
  ])('loads what a remote model over %s needs, and nothing else', async (scheme, needed) => {
    await using folder = await temporaryFolder();
    await writeRemote(folder.path, 'far', { urls: [`${scheme}://127.0.0.1:1`], model: 'm' });
    await using server = await startRecorded({ MODELS_DIR: folder.path });
    const loaded = server.loaded();
    expect(optional.filter((name) => loaded.has(name))).toEqual(needed);
  });

  it('loads what decodes pictures with the first picture', async () => {
    await using server = await startRecorded();
    const body = readFileSync(join(projectDir, 'docs/examples/two.png'));
    const headers = { 'content-type': 'image/png' };
    const response = await fetch(new URL('/digits/predict', server.address), { method: 'POST', headers, body });
    expect(response.status).toBe(200);
    const loaded = server.loaded();
    expect(optional.filter((name) => loaded.has(name))).toEqual(['sharp']);
  });

  it('loads what keeps answers with the first model that has a cache, and Redis with the first that shares it', async () => {
    const redis = { REDIS_URL: 'redis://127.0.0.1:1' };
    const loadedWith = async (cache: object) => {
      await using repository = await cachedRepository(cache, 'iris');
      await using server = await startRecorded({ MODELS_DIR: repository.path, ...redis });
      const loaded = server.loaded();
      return optional.filter((name) => loaded.has(name));
    };
    expect(await loadedWith({})).toEqual(['lru-cache']);
    expect(await loadedWith({ shared: true })).toEqual(['ioredis', 'lru-cache']);
    await using plain = await startRecorded(redis);
    const loaded = plain.loaded();
    expect(optional.filter((name) => loaded.has(name))).toEqual([]);
  });
});
