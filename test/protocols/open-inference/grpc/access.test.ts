import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../../../helpers/certificate.ts';
import { type TemporaryFolder, temporaryFolder } from '../../../helpers/folder.ts';
import { type GrpcClient, grpcClient } from '../../../helpers/grpc-client.ts';
import { addIdentityModel } from '../../../helpers/identity-model.ts';
import { type KeyFile, temporaryKeyFile } from '../../../helpers/keys.ts';
import { startReadyServer, type TestServer } from '../../../helpers/server.ts';

let repository: TemporaryFolder;
let keyFile: KeyFile;
let server: TestServer;
let client: GrpcClient;
let keys: Record<'infer' | 'echoOnly' | 'admin', string>;

beforeAll(async () => {
  repository = await temporaryFolder();
  await addIdentityModel(repository.path, 'echo', 'FP32');
  await addIdentityModel(repository.path, 'other', 'FP32');
  keyFile = await temporaryKeyFile();
  keys = {
    infer: (await keyFile.add()).key,
    echoOnly: (await keyFile.add({ models: ['echo'] })).key,
    admin: (await keyFile.add({ scopes: ['admin'] })).key,
  };
  server = await startReadyServer({ MODELS_DIR: repository.path, GRPC_PORT: '0', API_KEYS_FILE: keyFile.file }, []);
  client = grpcClient(server.grpcPort);
});

afterAll(async () => {
  client[Symbol.dispose]();
  await server.stop();
  await keyFile[Symbol.asyncDispose]();
  await repository[Symbol.asyncDispose]();
});

const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 1], contents: { fp32_contents: [7] } }];
const infer = (model: string, metadata: Record<string, string> = {}) =>
  client.call('ModelInfer', { model_name: model, inputs }, { metadata });
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const unauthenticated = expect.objectContaining({ code: status.UNAUTHENTICATED });
const denied = expect.objectContaining({ code: status.PERMISSION_DENIED });

describe('a call with API keys set', () => {
  it('is made with a key in the metadata', async () => {
    expect(await infer('echo', bearer(keys.infer))).toMatchObject({ model_name: 'echo' });
    expect(await infer('echo', { 'x-api-key': keys.infer })).toMatchObject({ model_name: 'echo' });
  });

  it.each([
    'ServerMetadata',
    'ModelReady',
    'ModelMetadata',
    'ModelConfig',
    'ModelStatistics',
    'ModelInfer',
    'RepositoryIndex',
    'RepositoryModelLoad',
    'RepositoryModelUnload',
  ])('of %s is refused without a key, or with a wrong one', async (method) => {
    await expect(client.call(method, {})).rejects.toEqual(unauthenticated);
    await expect(client.call(method, {}, { metadata: bearer('wrong') })).rejects.toEqual(unauthenticated);
  });

  it.each(['ServerLive', 'ServerReady', 'Check'])('of %s is open', async (method) => {
    await expect(client.call(method, {})).resolves.toBeDefined();
  });

  it('is refused without the scope', async () => {
    await expect(infer('echo', bearer(keys.admin))).rejects.toEqual(denied);
    const unload = client.call('RepositoryModelUnload', { model_name: 'echo' }, { metadata: bearer(keys.infer) });
    await expect(unload).rejects.toEqual(denied);
    const metadata = bearer(keys.admin);
    expect(await client.call('RepositoryIndex', {}, { metadata })).toMatchObject({ models: expect.any(Array) });
  });

  it('is refused for another model than those of the key, and for all', async () => {
    const metadata = bearer(keys.echoOnly);
    expect(await infer('echo', metadata)).toMatchObject({ model_name: 'echo' });
    await expect(infer('other', metadata)).rejects.toEqual(denied);
    await expect(client.call('ModelMetadata', { name: 'other' }, { metadata })).rejects.toEqual(denied);
    await expect(client.call('ModelStatistics', {}, { metadata })).rejects.toEqual(denied);
  });

  it('in a stream is refused without a key', async () => {
    const stream = client.stream();
    stream.write({ model_name: 'echo', inputs });
    const [error] = await once(stream, 'error');
    expect(error).toEqual(unauthenticated);
  });

  it('in a stream is refused for another model, and the stream goes on', async () => {
    const stream = client.stream(bearer(keys.echoOnly));
    stream.write({ model_name: 'other', inputs });
    stream.write({ model_name: 'echo', inputs });
    const [first] = await once(stream, 'data');
    expect(first).toMatchObject({ error_message: expect.stringMatching(/PERMISSION_DENIED/) });
    const [second] = await once(stream, 'data');
    expect(second).toMatchObject({ error_message: '', infer_response: { model_name: 'echo' } });
    stream.end();
    await once(stream.resume(), 'end');
  });
});

describe('TLS_CERT and TLS_KEY', () => {
  it('hold for gRPC as well', async () => {
    await using folder = await temporaryFolder();
    const { cert, key } = selfSigned('grpc');
    const files = { TLS_CERT: join(folder.path, 'cert.pem'), TLS_KEY: join(folder.path, 'key.pem') };
    await writeFile(files.TLS_CERT, cert);
    await writeFile(files.TLS_KEY, key);
    await using secure = await startReadyServer({ MODELS_DIR: repository.path, GRPC_PORT: '0', ...files }, []);
    const session = connect(`https://127.0.0.1:${secure.grpcPort}`, { ca: cert });
    await once(session, 'connect');
    expect(session.alpnProtocol).toBe('h2');
    session.close();
    using plain = grpcClient(secure.grpcPort);
    await expect(plain.call('ServerLive', {}, { deadline: Date.now() + 2000 })).rejects.toThrow();
  });
});
