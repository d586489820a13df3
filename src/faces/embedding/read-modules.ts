import { readFile } from 'node:fs/promises';
import type { PoolingMode } from '../../models/face-settings/text-settings.ts';
import type { Companions } from '../companions.ts';
import { invalidFace } from '../face-faults.ts';
import { type Dense, readDense } from './dense.ts';

/** What becomes of the vectors of tokens, as the files of sentence-transformers say. */
export interface Modules {
  readonly pooling: readonly PoolingMode[];
  /** Whether the tokens of a prompt count in means. */
  readonly includePrompt: boolean;
  readonly dense: readonly Dense[];
  readonly normalize: boolean;
}

type JsonObject = Readonly<Record<string, unknown>>;

const folderName = /^[0-9]{1,2}_[A-Za-z]{1,32}$/;
const mostWeights = 64 * 2 ** 20;

/** In the order in which sentence-transformers puts several behind each other. */
const flags: readonly (readonly [flag: string, mode: PoolingMode])[] = [
  ['pooling_mode_cls_token', 'cls'],
  ['pooling_mode_max_tokens', 'max'],
  ['pooling_mode_mean_tokens', 'mean'],
  ['pooling_mode_mean_sqrt_len_tokens', 'mean_sqrt_len'],
  ['pooling_mode_weightedmean_tokens', 'weightedmean'],
  ['pooling_mode_lasttoken', 'lasttoken'],
];
const modes: readonly PoolingMode[] = flags.map(([, mode]) => mode);

/**
 * Reads `modules.json` and the folders that it names; undefined when there is none.
 *
 * @throws AppError `FACE_INVALID` for modules that are not known here
 */
export async function readModules(companions: Companions): Promise<Modules | undefined> {
  const list = await companions.json('modules.json');
  if (list === undefined) return undefined;
  if (!Array.isArray(list)) throw invalidFace(['modules.json: expected a list']);
  let pooling: readonly PoolingMode[] = [];
  let includePrompt = true;
  let normalize = false;
  const dense: Dense[] = [];
  for (const entry of list as readonly unknown[]) {
    const { type, path } = moduleOf(entry);
    switch (type) {
      case 'Transformer':
        break;
      case 'Pooling': {
        const config = await companions.object(`${path}/config.json`);
        if (config === undefined) throw invalidFace([`${path}/config.json is missing`]);
        pooling = poolingOf(config, path);
        includePrompt = config['include_prompt'] !== false;
        break;
      }
      case 'Dense':
        dense.push(await denseOf(companions, path));
        break;
      case 'Normalize':
        normalize = true;
        break;
      default:
        throw invalidFace([`modules.json: ${type} is not known; expected Transformer, Pooling, Dense, Normalize`]);
    }
  }
  return { pooling, includePrompt, dense, normalize };
}

function moduleOf(entry: unknown): { readonly type: string; readonly path: string } {
  const { type, path } = (typeof entry === 'object' && entry !== null ? entry : {}) as JsonObject;
  const name = String(type).split('.').at(-1) ?? '';
  const folder = String(path ?? '');
  if (folder !== '' && !folderName.test(folder)) {
    throw invalidFace([`modules.json: the path ${JSON.stringify(folder)} cannot be used, expected such as 1_Pooling`]);
  }
  return { type: name, path: folder };
}

function poolingOf(config: JsonObject, path: string): readonly PoolingMode[] {
  const named = config['pooling_mode'];
  const names = typeof named === 'string' ? [named] : Array.isArray(named) ? named.map(String) : undefined;
  const found = names?.map((name) => modes.find((mode) => mode === name || `${mode}_tokens` === name));
  if (found?.includes(undefined)) {
    throw invalidFace([
      `${path}/config.json: pooling_mode is ${JSON.stringify(named)}, expected of ${modes.join(', ')}`,
    ]);
  }
  const pooling =
    found?.filter((mode) => mode !== undefined) ??
    flags.flatMap(([flag, mode]) => (config[flag] === true ? [mode] : []));
  if (pooling.length === 0) throw invalidFace([`${path}/config.json: no pooling is switched on`]);
  return pooling;
}

async function denseOf(companions: Companions, path: string): Promise<Dense> {
  const weights = companions.path(`${path}/model.safetensors`);
  const config = await companions.object(`${path}/config.json`);
  if (config === undefined) throw invalidFace([`${path}/config.json is missing`]);
  if (weights === undefined) throw invalidFace([`${path}/model.safetensors is missing`]);
  companions.checkSize(`${path}/model.safetensors`, mostWeights);
  return readDense(path, config, await readFile(weights));
}
