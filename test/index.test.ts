import { expect, it } from 'vitest';
import { createServer } from '../src/index.ts';
import { petals } from './fixtures/petals.ts';
import { shippedModelsDir } from './helpers/folder.ts';
import { postJson } from './helpers/server.ts';

it('serves a domain of the user in few lines', async () => {
  const environment = { HOST: '127.0.0.1', PORT: '0', MODELS_DIR: shippedModelsDir, LOG_LEVEL: 'silent' };
  const server = await createServer({ domains: [petals], environment });
  try {
    await server.loaded;
    const { body } = await postJson(server.address, '/petals/predict/batch', {
      instances: [
        { length: 1.4, width: 0.2 },
        { length: 5.1, width: 1.8 },
      ],
    });
    expect(body).toEqual({ predictions: [{ setosa: true }, { setosa: false }] });
  } finally {
    await server.stop();
  }
});
