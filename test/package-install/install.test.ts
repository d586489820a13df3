import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { shippedModelsDir } from '../helpers/folder.ts';
import { postJson } from '../helpers/server.ts';
import { install, newProject, start } from './installation.ts';
import { run, succeed } from './run.ts';

const flower = { sepal_length: 5.9, sepal_width: 3, petal_length: 5.1, petal_width: 1.8 };

const packed = inject('packed');

it('is installed into an empty folder, and serves with Node.js 26 and 24', async () => {
  const folder = await newProject({ private: true });
  await install(folder, packed);
  const lock = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8'));
  const withScripts = Object.entries<{ hasInstallScript?: boolean }>(lock.packages).filter(
    ([, { hasInstallScript }]) => hasInstallScript,
  );
  // Its script compares two versions, and fetches nothing.
  expect(withScripts.map(([path]) => path)).toEqual(['node_modules/protobufjs']);
  expect(await succeed(folder, 'npx', ['inferd', '--version'])).toBe(`${packageJson.version}\n`);

  await cp(join(shippedModelsDir, 'iris'), join(folder, 'models/iris'), { recursive: true });
  const other = await newProject({ private: true, allowScripts: { node: true } });
  await install(other, 'node@24.21.0');
  for (const node of [process.execPath, join(other, 'node_modules/.bin/node')]) {
    const address = await start(folder, node, ['node_modules/.bin/inferd', 'serve']);
    expect((await postJson(address, '/iris/predict', flower)).body).toMatchObject({ species: 'virginica' });
  }

  // The oldest zod that the package takes, and what package managers leave that only warn.
  await install(folder, 'zod@4.3.0');
  const address = await start(folder, process.execPath, ['node_modules/.bin/inferd', 'serve']);
  expect((await postJson(address, '/iris/predict', flower)).body).toMatchObject({ species: 'virginica' });
  expect((await fetch(new URL('/openapi.json', address))).status).toBe(200);
  await install(folder, 'zod@3.25.76', '--legacy-peer-deps');
  const refused = await run(folder, process.execPath, ['node_modules/.bin/inferd', 'serve']);
  expect(refused).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/^inferd: zod 3 or older is installed, inferd needs zod 4/),
  });
  const program =
    "import('inferd').then(({ createServer }) => createServer()).catch((error) => console.log(error.message))";
  expect(await succeed(folder, process.execPath, ['--eval', program])).toContain('zod 3 or older is installed');
});

it('has types that TypeScript takes, however strict, without more than its packages', async () => {
  const folder = await newProject();
  await install(folder, packed, 'typescript@7.0.2', '@types/node@26.6.6');
  await writeFile(
    join(folder, 'all.ts'),
    `
    import { createServer, defineDomain, float32, output, z, type Domain, type RunningServer } from 'inferd';
    import { Client } from 'inferd/client';
    const input = z.object({ x: z.number() });
    const domain: Domain<typeof input, typeof input> = defineDomain({
      name: 'x', model: 'x', summary: 'x', input, output: input, examples: [{ x: 1 }],
      encode: (list) => ({ x: float32([list.length, 1], list.map(({ x }) => x)) }),
      decode: (outputs) => Array.from(output(outputs, 'y', 'FP32').data, (x) => ({ x })),
    });
    export const server: Promise<RunningServer> = createServer({ domains: [domain] });
    export const client = new Client({ url: 'http://localhost:8080' });
    // @ts-expect-error The examples have to fit the schema.
    defineDomain({ ...domain, examples: [{ x: 'one' }] });
  `,
  );
  const strict = [
    '--strict',
    '--exactOptionalPropertyTypes',
    '--noUncheckedIndexedAccess',
    '--noEmit',
    '--skipLibCheck',
    'false',
  ];
  for (const how of [
    ['--module', 'nodenext'],
    ['--module', 'esnext', '--moduleResolution', 'bundler'],
  ]) {
    const args = ['tsc', ...strict, '--target', 'es2022', '--types', 'node', ...how, 'all.ts'];
    expect(await run(folder, 'npx', args)).toMatchObject({ code: 0, output: '' });
  }
});
