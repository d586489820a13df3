import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFile } from 'node:fs/promises';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { expect, it } from 'vitest';
import { temporaryDatabase } from '../../helpers/database.ts';
import { temporaryRepository } from '../../helpers/folder.ts';
import { shippedDomains, startReadyServer } from '../../helpers/server.ts';

const page = new URL('../../../docs/security.md', import.meta.url);

/** Scopes by route, such as `POST /{domain}/predict`, of a server with these settings. */
async function declaredScopes(environment: Record<string, string>): Promise<Map<string, string>> {
  const routes: RouteOptions[] = [];
  const collect = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook('onRoute', (route) => void routes.push(route));
  };
  subscribe('fastify.initialization', collect);
  await using _server = await startReadyServer(environment);
  unsubscribe('fastify.initialization', collect);
  const rows = routes.flatMap(({ method, url, config }) =>
    [method]
      .flat()
      .filter((one) => one !== 'HEAD' && one !== 'OPTIONS')
      .map((one) => [`${one} ${documentedPath(url)}`, String(config?.scope)] as const),
  );
  return new Map(rows);
}

function documentedPath(url: string): string {
  const path = url.replaceAll(/(?<!:):(\w+)(\([^)]*\))?/g, '{$1}').replace('::', ':');
  const domain = shippedDomains.find(({ name }) => path.startsWith(`/${name}/`));
  if (domain !== undefined) return path.replace(`/${domain.name}/`, '/{domain}/');
  return path.startsWith('/docs') ? '/docs/*' : path;
}

it('the page on security has the scope of every route', async () => {
  await using database = await temporaryDatabase('embedded');
  await using repository = await temporaryRepository('iris', 'digits');
  const environment = { MODELS_DIR: repository.path, ...database.environment };
  const declared = new Map([
    ...(await declaredScopes({ MODELS_DIR: repository.path, SAGEMAKER_MULTI_MODEL: '1' })),
    ...(await declaredScopes(environment)),
  ]);
  const text = await readFile(page, 'utf8');
  const rows = [...text.matchAll(/^\| `((?:GET|POST|PUT|DELETE) [^`]+)` \| (\w+) \|/gm)];
  expect(Object.fromEntries(rows.map(([, route, scope]) => [route, scope]))).toEqual(Object.fromEntries(declared));
  expect(rows.length).toBe(declared.size);
});
