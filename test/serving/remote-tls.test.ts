import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { writeMembers } from '../graphs/write-graph-models.ts';
import { writeRemote } from '../graphs/write-remote.ts';
import { selfSigned } from '../helpers/certificate.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { postJson, startReadyServer } from '../helpers/server.ts';

describe('a model on a server with a certificate of its own', () => {
  test.each(['https', 'grpcs'])('is asked over %s by the certificates of tls.ca, and not without', async (scheme) => {
    await using there = await temporaryFolder();
    await using here = await temporaryFolder();
    const { cert, key } = selfSigned('remote');
    await writeFile(join(there.path, 'cert.pem'), cert);
    await writeFile(join(there.path, 'key.pem'), key);
    const models = join(there.path, 'models');
    await writeMembers(models);
    await using remote = await startReadyServer({
      MODELS_DIR: models,
      GRPC_PORT: '0',
      TLS_CERT: join(there.path, 'cert.pem'),
      TLS_KEY: join(there.path, 'key.pem'),
    });
    const port = scheme === 'https' ? new URL(remote.address).port : remote.grpcPort;
    const least = { urls: [`${scheme}://127.0.0.1:${port}`], model: 'scaler' };
    await writeRemote(here.path, 'trusting', { ...least, tls: { ca: 'ca.pem' } });
    await writeFile(join(here.path, 'trusting/1/ca.pem'), cert);
    await writeRemote(here.path, 'careful', least);
    await using server = await startReadyServer({ MODELS_DIR: here.path });
    expect(await postJson(server.address, '/models/trusting/predict', { x: [[100, 30]] })).toMatchObject({
      status: 200,
      body: { scaled: [[1, 3]] },
    });
    expect(await postJson(server.address, '/models/careful/predict', { x: [[100, 30]] })).toMatchObject({
      status: 503,
    });
  });

  it('may not take certificates from outside of the repository', async () => {
    await using here = await temporaryFolder();
    await writeRemote(here.path, 'far', {
      urls: ['https://127.0.0.1:1'],
      model: 'm',
      tls: { ca: '../../../etc/hosts' },
    });
    await using server = await startReadyServer({ MODELS_DIR: here.path });
    const response = await fetch(new URL('/models/far', server.address));
    expect(await response.json()).toMatchObject({ state: 'UNAVAILABLE', reason: expect.stringContaining('tls.ca') });
  });
});
