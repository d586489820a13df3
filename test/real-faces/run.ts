/**
 * Serves a folder of models with the answers that reference implementations give (`expected.json` in each), and compares:
 * `npm run test:faces -- FOLDER PHOTOS [hub]`; `hub` lays the folders out as repositories of the Hub. A folder whose model
 * needs a `model.json` gets it from `settings.ts`.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { startReadyServer } from '../helpers/server.ts';
import { comparisons } from './comparisons.ts';
import { manifests } from './settings.ts';

const [models, photos, layout] = process.argv.slice(2);
if (models === undefined || photos === undefined) {
  process.stderr.write('npm run test:faces -- FOLDER PHOTOS [hub]\n');
  process.exit(2);
}

const described = z.object({
  versions: z.array(z.object({ face: z.looseObject({ state: z.string(), kind: z.string().optional() }).optional() })),
});

const repository = await mkdtemp(join(tmpdir(), 'inferd-faces-'));
const names: string[] = [];
for (const name of await readdir(models)) {
  const isModel = await stat(join(models, name, '1/model.onnx')).then(
    () => true,
    () => false,
  );
  if (!isModel) continue;
  const folder = layout === 'hub' ? join(repository, name) : join(repository, name, '1');
  await cp(join(models, name, '1'), folder, { recursive: true });
  if (layout === 'hub') {
    await mkdir(join(folder, 'onnx'));
    await rename(join(folder, 'model.onnx'), join(folder, 'onnx/model.onnx'));
  }
  const manifest = manifests[name];
  if (manifest !== undefined) await writeFile(join(repository, name, 'model.json'), JSON.stringify(manifest));
  names.push(name);
}

const server = await startReadyServer({ MODELS_DIR: repository, LOG_LEVEL: 'warn', REQUEST_TIMEOUT_MS: '120000' });
let failures = 0;
try {
  for (const name of names.sort()) {
    const { versions } = described.parse(await (await fetch(new URL(`/models/${name}`, server.address))).json());
    const face = versions[0]?.face;
    const compare = comparisons[face?.kind ?? ''];
    const file = join(models, expectedOf(name), 'expected.json');
    const expected: unknown = await readFile(file, 'utf8').then(JSON.parse, () => undefined);
    if (face?.state !== 'ready' || compare === undefined || expected === undefined) {
      failures += 1;
      process.stdout.write(`${name}: FAILED, its face is ${JSON.stringify(face)}\n`);
      continue;
    }
    const { what, wrong, largest, bar } = await compare(name, expected, { address: server.address, models, photos });
    const isFailure = wrong > 0 || !(largest <= bar);
    if (isFailure) failures += 1;
    process.stdout.write(
      `${name}: ${isFailure ? 'FAILED' : 'ok'}, ${face.kind}, ${what}, ${wrong} wrong, numbers differ by at most ${largest} (bar ${bar})\n`,
    );
  }
} finally {
  await server.stop();
  await rm(repository, { recursive: true });
}
process.exitCode = failures === 0 ? 0 : 1;

/** Two folders have the model of another in another layout. */
function expectedOf(name: string): string {
  return name === 'digits-yolov5' || name === 'digits-yolov8-batch1' ? 'digits-yolov8' : name;
}
