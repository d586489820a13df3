import { describe, expect, it } from 'vitest';
import { fixtureRepository } from '../../helpers/folder.ts';
import { postJson, startReadyServer } from '../../helpers/server.ts';

describe('the routes of Vertex AI', () => {
  it.each([
    ['/v1/endpoints/12/deployedModels/34', '/v1/endpoints/12/deployedModels/34:predict'],
    // What many containers are told, and is a name of other routes here.
    ['/health', '/predict'],
  ])('are %s for health and %s for predictions', async (health, predict) => {
    await using repository = await fixtureRepository(['doubles']);
    const environment = { MODELS_DIR: repository.path, AIP_HEALTH_ROUTE: health, AIP_PREDICT_ROUTE: predict };
    await using server = await startReadyServer(environment, []);
    expect((await fetch(server.address + health)).status).toBe(200);
    const body = { instances: [[1], [2]], parameters: { outputs: ['y'] } };
    expect(await postJson(server.address, predict, body)).toMatchObject({
      status: 200,
      body: { predictions: [[1], [2]] },
    });
  });

  it('are not healthy while a model is not', async () => {
    await using repository = await fixtureRepository(['broken']);
    const environment = { MODELS_DIR: repository.path, AIP_HEALTH_ROUTE: '/is-it-well' };
    await using server = await startReadyServer(environment, []);
    expect((await fetch(`${server.address}/is-it-well`)).status).toBe(503);
  });
});
