import type { AnyDomain } from './domains/define-domain.ts';
import { requireDomains } from './domains/require-domains.ts';
import { requireZod } from './domains/require-zod.ts';
import type { LoadedFace, LoadFaceOptions } from './pieces/face.ts';
import { createTokenizers } from './pieces/load-tokenizer.ts';
import { createPictures } from './pieces/pictures.ts';
import type { LoadTokenizerOptions, Tokenizer } from './pieces/tokenizer.ts';
import type { RunningServer } from './running-server.ts';

export { z } from 'zod';
export type { Domain, FileInput } from './domains/define-domain.ts';
export { defineDomain } from './domains/define-domain.ts';
export { output } from './domains/output.ts';
export { AppError, type ErrorCode, type Fault } from './errors.ts';
export { type NmsOptions, nms, type ScoredBoxes } from './pieces/boxes.ts';
export type { LoadedFace, LoadFaceOptions } from './pieces/face.ts';
export type {
  DecodeOptions,
  Letterboxed,
  LetterboxOptions,
  Pictures,
  ResizeOptions,
  RgbPicture,
  ToTensorOptions,
} from './pieces/pictures.ts';
export { type Ranked, softmax, topK } from './pieces/scores.ts';
export type { LoadTokenizerOptions, PadOptions, TokenizeOptions, Tokenizer } from './pieces/tokenizer.ts';
export { type PoolOptions, pool } from './pieces/vectors.ts';
export type { RunningServer } from './running-server.ts';
export type { ServedModel } from './serving/served-model.ts';
export type { DataType } from './tensor/data-type.ts';
export { float32, int32, int64, type Signature, type Tensor, type Tensors, text, uint8 } from './tensor/tensor.ts';

export interface ServerOptions {
  /** Typed faces of models. @default none */
  readonly domains?: readonly AnyDomain[];
  /** Settings by their names in the environment; numbers as text. @default the environment of the process, over a file `.env` */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts a server that listens at once and loads its models behind that; `loaded` tells when they are ready. A start that fails
 * leaves no port, process or timer.
 *
 * @throws AppError `SETTINGS_INVALID` with every bad setting named, `DOMAIN_INVALID` with every fault of the domains
 */
export async function createServer({ domains = [], environment }: ServerOptions = {}): Promise<RunningServer> {
  requireZod();
  const served = requireDomains(domains, 'domains');
  // Not before: with another zod what the server is made of cannot even be loaded, and could not say why.
  const { startOwnServer } = await import('./cli/start-own-server.ts');
  return startOwnServer(served, environment);
}

/** Pictures as faces without code take them: decoded as Pillow does, resized bit for bit, made tensors. */
export const pictures = createPictures();

const openTokenizer = createTokenizers();

/**
 * Loads the tokenizer of a model by the library of Hugging Face, the optional package `tokenizers`, in a process of its own that
 * all tokenizers share: it is started anew when it ends, and what was under way is tried again.
 *
 * @param folder with `tokenizer.json`, and maybe `tokenizer_config.json`, `config.json`, `sentence_bert_config.json`
 * @throws AppError `FACE_INVALID` for a file that is missing, invalid, ends the library or keeps it busy for longer than
 *   `timeoutMs`; also where the package `tokenizers` is not installed
 */
export function loadTokenizer(folder: string, options: LoadTokenizerOptions = {}): Promise<Tokenizer> {
  return openTokenizer(folder, options);
}

/**
 * Finds the face of a model by its files and proves it on the model, as a server does at load, to build a domain on it.
 *
 * @param folder of the model, such as `models/resnet`; of several versions, the highest counts
 * @throws AppError `FACE_INVALID` where there is no face, with the reason; `MODEL_LOAD_FAILED`
 */
export async function loadFace(folder: string, options: LoadFaceOptions = {}): Promise<LoadedFace> {
  const { openFace } = await import('./pieces/open-face.ts');
  return openFace(folder, options);
}
