import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeTar } from '../helpers/archives.ts';
import { FileServer } from '../helpers/file-server.ts';
import { temporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { S3Server } from '../helpers/s3-server.ts';

export const sourceKinds = ['folder', 'archive', 'bucket', 'slow-bucket'] as const;
export type SourceKind = (typeof sourceKinds)[number];

export interface Source extends AsyncDisposable {
  /** Settings that lead to it. */
  readonly environment: Record<string, string>;
}

/** How long each object of the slow bucket takes. */
const slowMs = 200;

/** Two models at a place of that kind; what is fetched goes into a cache that stays for as long as the place. */
export async function openSource(kind: SourceKind): Promise<Source> {
  const stack = new AsyncDisposableStack();
  const repository = stack.use(await temporaryRepository('iris', 'titanic'));
  const environment = await place(kind, repository.path, stack);
  return { environment, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function place(kind: SourceKind, path: string, stack: AsyncDisposableStack): Promise<Record<string, string>> {
  if (kind === 'folder') return { MODELS_DIR: path };
  const files = await readFiles(path);
  const cache = stack.use(await temporaryFolder());
  if (kind === 'archive') {
    const tar = makeTar(Object.entries(files).map(([name, content]) => ({ path: name, content })));
    const web = stack.use(await FileServer.start({ '/models.tar': tar }));
    return { MODELS_URI: web.url('/models.tar').href, MODELS_CACHE_DIR: cache.path };
  }
  const objects = Object.entries(files).map(([name, content]) => [`models/${name}`, content] as const);
  const bucket = stack.use(await S3Server.start(Object.fromEntries(objects)));
  if (kind === 'slow-bucket') bucket.onGet = () => delay(slowMs);
  return { ...bucket.environment, MODELS_URI: 's3://bucket/models', MODELS_CACHE_DIR: cache.path };
}

async function readFiles(folder: string): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  for (const name of await readdir(folder, { recursive: true })) {
    const path = join(folder, name);
    if ((await stat(path)).isFile()) files[name] = await readFile(path);
  }
  return files;
}
