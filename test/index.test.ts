import { expect, it } from 'vitest';
import { z } from 'zod';
import { createServer, defineDomain, float32, output } from '../src/index.ts';
import { shippedModelsDir } from './helpers/folder.ts';
import { postJson } from './helpers/server.ts';

it('serves a domain of the user in few lines', async () => {
  const petals = defineDomain({
    name: 'petals',
    model: 'iris',
    summary: 'Is this the petal of a setosa?',
    input: z.strictObject({ length: z.number(), width: z.number() }),
    output: z.object({ setosa: z.boolean() }),
    examples: [{ length: 1.4, width: 0.2 }],
    encode: (list) => ({
      features: float32(
        [list.length, 4],
        list.flatMap(({ length, width }) => [5.8, 3.1, length, width]),
      ),
    }),
    decode: (outputs) => Array.from(output(outputs, 'label', 'INT64').data, (label) => ({ setosa: label === 0n })),
  });
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
