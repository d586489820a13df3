import { fastify } from 'fastify';
import { setErrorHandler } from '../../src/http/answer/error-handler.ts';
import { zodSerializerCompiler, zodValidatorCompiler } from '../../src/http/answer/zod-compilers.ts';
import { scanRepository } from '../../src/models/repository/repository.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { TrafficFollower } from '../../src/traffic/follower.ts';
import { trafficRoutes } from '../../src/traffic/routes.ts';
import { TrafficService } from '../../src/traffic/service.ts';
import { SplitModels } from '../../src/traffic/split-models.ts';
import { type FakeVersion, graphRepository } from '../serving/graph-repository.ts';

export interface Asked {
  readonly body?: object | string;
  readonly ifMatch?: string;
  readonly path?: string;
}

/** What a server has of stored traffic, over fake models, and its routes; `a` has the versions 1, 2 and 3, the policy selects 3. */
export async function trafficProcess(
  storage: Storage | undefined,
  { manifest = {}, fakes = {} }: { manifest?: object; fakes?: Record<string, FakeVersion> } = {},
) {
  const repository = await graphRepository();
  await repository.manifest('a', manifest);
  for (const version of ['1', '2', '3']) {
    await repository.model('a', version, { factor: Number(version), ...fakes[version] });
  }
  const { registry } = repository;
  const scan = () =>
    scanRepository(repository.path, { selections: registry.armsOfStored() }).then((folders) => registry.sync(folders));
  await scan();
  const log = { warn: () => {} };
  const models = new SplitModels({
    registry,
    scan: (options) => scanRepository(repository.path, options),
    clock: repository.clock,
    log,
  });
  const follower = storage && new TrafficFollower({ storage, models, clock: systemClock, log });
  const kept = storage && follower && { storage, follower };
  const app = fastify();
  app.setValidatorCompiler(zodValidatorCompiler);
  app.setSerializerCompiler(zodSerializerCompiler);
  setErrorHandler(app);
  app.decorateRequest('caller', undefined);
  app.register(async (routes) => trafficRoutes(routes, { traffic: new TrafficService(models, kept) }));
  await follower?.applyAtStart();
  follower?.start();

  return {
    ...repository,
    /** Follows what is on disk, as a server that watches does. */
    scan,
    ask: async (method: 'GET' | 'PUT' | 'DELETE', { body, ifMatch, path = '' }: Asked = {}) => {
      const response = await app.inject({
        method,
        url: `/models/a/traffic${path}`,
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(ifMatch !== undefined && { 'if-match': ifMatch }),
        },
        ...(body !== undefined && { payload: body }),
      });
      return { status: response.statusCode, etag: response.headers.etag, body: response.json() };
    },
    /** Which versions of `a` have answered sixty requests, each of another client. */
    answering: async (model = 'a') => {
      const requests = Array.from({ length: 60 }, (_, index) =>
        repository.ask(model, { requestId: `request-${index}` }),
      );
      return [...new Set((await Promise.all(requests)).map(([first]) => first))].sort();
    },
    loaded: () => repository.state('a'),
    [Symbol.asyncDispose]: async () => {
      await follower?.close();
      await app.close();
      await repository[Symbol.asyncDispose]();
    },
  };
}
