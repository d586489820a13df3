import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { modelTypes } from '../../src/cli/commands/model-types.ts';
import { shippedModelsDir, temporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { temporaryKeyFile } from '../helpers/keys.ts';
import { projectDir } from '../helpers/process.ts';
import { startReadyServer } from '../helpers/server.ts';

const run = promisify(execFile);
const inferdTypes = (source: string, options: string[] = [], environment: Record<string, string> = {}) =>
  run(process.execPath, ['src/main.ts', 'types', source, ...options], {
    cwd: projectDir,
    env: { ...process.env, ...environment },
  });

const irisTypes = `export interface Iris {
  inputs: {
    features: TensorOf<'FP32', [number, 4]>;
  };
  outputs: {
    label: TensorOf<'INT64', [number]>;
    probabilities: TensorOf<'FP32', [number, 3]>;
  };
}
`;

describe('inferd types', () => {
  it('writes the models of a folder', async () => {
    const { stdout, stderr } = await inferdTypes(shippedModelsDir);
    expect(stderr).toBe('');
    expect(stdout).toContain(irisTypes);
    expect(stdout).toMatch(/export interface Models \{\n {2}digits: Digits;\n {2}iris: Iris;\n/);
  });

  it('writes the models of a server', async () => {
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path }, []);
    const { stdout } = await inferdTypes(server.address);
    expect(stdout).toContain(irisTypes);
  });

  it('sends an API key, from the option or the environment', async () => {
    await using repository = await temporaryRepository('iris');
    await using keys = await temporaryKeyFile();
    const { key } = await keys.add({ scopes: ['infer', 'admin'] });
    await using server = await startReadyServer({ MODELS_DIR: repository.path, API_KEYS_FILE: keys.file }, []);
    await expect(inferdTypes(server.address)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^inferd types: Give an API key/),
    });
    expect((await inferdTypes(server.address, ['--api-key', key])).stdout).toContain(irisTypes);
    expect((await inferdTypes(server.address, [], { INFERD_API_KEY: key })).stdout).toContain(irisTypes);
    const wrong = inferdTypes(server.address, ['--api-key', 'wrong'], { INFERD_API_KEY: key });
    await expect(wrong).rejects.toMatchObject({ code: 1 });
  });

  it('names what it leaves out, and ends with 1', async () => {
    await using repository = await temporaryRepository('iris');
    await cp(new URL('../fixtures/models/broken.onnx', import.meta.url), join(repository.path, 'broken.onnx'));
    const failed = inferdTypes(repository.path);
    await expect(failed).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining(irisTypes),
      stderr: expect.stringMatching(/left out broken: /),
    });
  });

  it.each([[[]], [['a', 'b']], [['a', '--unknown']]])('says how it is used when called with %j', async (args) => {
    const failed = run(process.execPath, ['src/main.ts', 'types', ...args], { cwd: projectDir });
    await expect(failed).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('<url|folder>') });
  });
});

const signature = {
  inputs: [{ name: 'x:0', datatype: 'FP32', shape: [-1, 3] }],
  outputs: [{ name: 'y', datatype: 'BYTES', shape: [] }],
} as const;

describe('the types', () => {
  it('have an interface of its own for every name', () => {
    const names = ['a-b', 'a.b', 'aB', '3d', 'models', 'tensor_of'];
    const text = modelTypes(names.map((name) => ({ name, signature, description: 'Ends */ early\nhere' })));
    expect([...text.matchAll(/export interface (\w+)/g)].map(([, name]) => name)).toEqual([
      'AB',
      'AB2',
      'AB3',
      'Model3d',
      'Models2',
      'TensorOf2',
      'Models',
    ]);
    expect(text).toContain('  "a-b": AB;\n');
    expect(text).toContain(`    "x:0": TensorOf<'FP32', [number, 3]>;\n`);
    expect(text).toContain(`    y: TensorOf<'BYTES'>;\n`);
    expect(text).toContain('/** Ends * / early here */');
  });

  it('are taken by the compiler, and refuse what the model does not take', async () => {
    await using folder = await temporaryFolder();
    const written = modelTypes([
      {
        name: 'iris',
        signature: {
          inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 4] }],
          outputs: [{ name: 'label', datatype: 'INT64', shape: [-1] }],
        },
      },
      { name: '3d-odd.name', signature },
    ]);
    await mkdir(join(folder.path, 'src'));
    await writeFile(join(folder.path, 'src/models.ts'), written);
    await writeFile(join(folder.path, 'src/use.ts'), usage);
    await writeFile(join(folder.path, 'package.json'), '{"type":"module"}');
    const paths = { 'inferd/client': [join(projectDir, 'src/client/index.ts')] };
    const compilerOptions = { paths, typeRoots: [join(projectDir, 'node_modules/@types')] };
    const config = { extends: join(projectDir, 'tsconfig.json'), compilerOptions, include: ['src'] };
    await writeFile(join(folder.path, 'tsconfig.json'), JSON.stringify(config));
    const { stdout } = await run(join(projectDir, 'node_modules/.bin/tsc'), ['-p', folder.path]).catch(
      (failed: { stdout: string }) => failed,
    );
    expect(stdout).toBe('');
  });
});

/** Each line under `@ts-expect-error` has to be refused, the others taken. */
const usage = `
import { Client, tensor } from 'inferd/client';
import type { Models } from './models.ts';

const client = new Client({ url: 'http://localhost' });
const features = tensor('FP32', [2, 4], new Float32Array(8));
const { outputs } = await client.infer<Models['iris']>('iris', { features }, { outputs: ['label'] });
export const labels: BigInt64Array = outputs.label.data;
export const rows: number = outputs.label.shape[0];
const odd = await client.infer<Models['3d-odd.name']>('3d-odd.name', { 'x:0': tensor('FP32', [1, 3], [1, 2, 3]) });
export const texts: readonly string[] = odd.outputs.y.data;
const untyped = await client.infer('iris', { features });
export const any: { readonly datatype: string } | undefined = untyped.outputs['label'];

// @ts-expect-error another data type
await client.infer<Models['iris']>('iris', { features: tensor('FP64', [2, 4], new Float64Array(8)) });
// @ts-expect-error another size of a fixed dimension
await client.infer<Models['iris']>('iris', { features: tensor('FP32', [2, 5], new Float32Array(10)) });
// @ts-expect-error a missing input
await client.infer<Models['iris']>('iris', {});
// @ts-expect-error an unknown input
await client.infer<Models['iris']>('iris', { features, other: features });
// @ts-expect-error an unknown output
await client.infer<Models['iris']>('iris', { features }, { outputs: ['other'] });
// @ts-expect-error an output that the model does not have
export const none = outputs.other;
`;
