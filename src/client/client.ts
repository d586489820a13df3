import {
  type IndexEntry,
  type ModelMetadata,
  type ModelStatistics,
  readIndex,
  readModelMetadata,
  readServerMetadata,
  readStatistics,
  type ServerMetadata,
} from './answers.ts';
import { ClientError } from './client-error.ts';
import { decodeInfer, encodeInfer, jsonLengthHeader } from './infer-message.ts';
import type { ModelTypes } from './tensors.ts';
import { type Answer, type CallOptions, Transport, type TransportOptions } from './transport.ts';

/** Codings of bodies; `deflate` is the zlib format, as in HTTP. */
export type Compression = 'gzip' | 'deflate';

export interface ClientOptions extends TransportOptions {
  /** Compresses requests. @default not */
  readonly requestCompression?: Compression;
  /** Asks for compressed answers. A browser decides on its own. @default not */
  readonly responseCompression?: Compression;
}

export interface VersionOptions extends CallOptions {
  /** @default the highest version that is loaded */
  readonly version?: string;
}

export interface InferOptions<Output extends string = string> extends VersionOptions {
  /** Comes back in the result. */
  readonly id?: string;
  /** Names of the wanted outputs. @default all */
  readonly outputs?: readonly Output[];
}

export interface InferResult<Outputs> {
  readonly modelName: string;
  readonly modelVersion: string | undefined;
  readonly id: string | undefined;
  readonly outputs: Outputs;
}

/**
 * A client of the Open Inference Protocol over HTTP, for Node.js and browsers. Tensors travel as binary data.
 *
 * Every call rejects with a `ClientError`, and with the reason of the signal when that was aborted.
 */
export class Client {
  readonly #transport: Transport;
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
    this.#options = options;
  }

  /** Runs a model. A type that `inferd types` has written makes inputs and outputs checked. */
  async infer<Model extends ModelTypes = ModelTypes>(
    model: string,
    inputs: Model['inputs'],
    options: InferOptions<Extract<keyof Model['outputs'], string>> = {},
  ): Promise<InferResult<Model['outputs']>> {
    const { version, id, outputs, timeoutMs, signal } = options;
    const { requestCompression, responseCompression = 'identity' } = this.#options;
    const { body, jsonBytes } = encodeInfer({ id, inputs, outputs });
    const answer = await this.#transport.send({
      method: 'POST',
      path: `${modelPath(model, version)}/infer`,
      headers: {
        'content-type': 'application/octet-stream',
        'accept-encoding': responseCompression,
        [jsonLengthHeader]: String(jsonBytes),
        ...(requestCompression !== undefined && { 'content-encoding': requestCompression }),
      },
      body: requestCompression === undefined ? body : await compress(body, requestCompression),
      timeoutMs,
      signal,
    });
    const decoded = decodeInfer(answer);
    // That the model has these types is what the caller says by naming them.
    return { ...decoded, outputs: decoded.outputs as Model['outputs'] };
  }

  /** Whether the server runs; false as well when it cannot be reached. */
  async live(options: CallOptions = {}): Promise<boolean> {
    return this.#isOk('v2/health/live', options);
  }

  /** Whether every model is ready. */
  async ready(options: CallOptions = {}): Promise<boolean> {
    return this.#isOk('v2/health/ready', options);
  }

  /** Whether the model, or that version of it, is ready; false as well when there is none. */
  async modelReady(model: string, options: VersionOptions = {}): Promise<boolean> {
    return this.#isOk(`${modelPath(model, options.version)}/ready`, options);
  }

  async metadata(options: CallOptions = {}): Promise<ServerMetadata> {
    return readServerMetadata(await this.#get('v2', options));
  }

  async modelMetadata(model: string, options: VersionOptions = {}): Promise<ModelMetadata> {
    return readModelMetadata(await this.#get(modelPath(model, options.version), options));
  }

  /** What is in the model repository of the server. */
  async index(options: CallOptions & { readonly onlyReady?: boolean } = {}): Promise<readonly IndexEntry[]> {
    return readIndex(await this.#post('v2/repository/index', { ready: options.onlyReady ?? false }, options));
  }

  /** Loads a model of the repository, or loads it anew; resolves when it is ready. */
  async load(model: string, options: CallOptions = {}): Promise<void> {
    await this.#post(`v2/repository/models/${encodeURIComponent(model)}/load`, {}, options);
  }

  /** Unloads a model; resolves when its last request is answered. */
  async unload(model: string, options: CallOptions = {}): Promise<void> {
    await this.#post(`v2/repository/models/${encodeURIComponent(model)}/unload`, {}, options);
  }

  /** What the versions of a model have served, or those of all models. */
  async statistics(model?: string, options: CallOptions = {}): Promise<readonly ModelStatistics[]> {
    const path = model === undefined ? 'v2/models/stats' : `${modelPath(model, undefined)}/stats`;
    return readStatistics(await this.#get(path, options));
  }

  async #isOk(path: string, options: CallOptions): Promise<boolean> {
    try {
      await this.#get(path, options);
      return true;
    } catch (thrown) {
      if (thrown instanceof ClientError) return false;
      throw thrown;
    }
  }

  async #get(path: string, { timeoutMs, signal }: CallOptions): Promise<unknown> {
    return parseAnswer(await this.#transport.send({ method: 'GET', path, timeoutMs, signal }));
  }

  async #post(path: string, message: object, { timeoutMs, signal }: CallOptions): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const body = new TextEncoder().encode(JSON.stringify(message));
    return parseAnswer(await this.#transport.send({ method: 'POST', path, headers, body, timeoutMs, signal }));
  }
}

function modelPath(model: string, version: string | undefined): string {
  const path = `v2/models/${encodeURIComponent(model)}`;
  return version === undefined ? path : `${path}/versions/${encodeURIComponent(version)}`;
}

/** Some servers answer some calls with nothing at all. */
function parseAnswer({ bytes }: Answer): unknown {
  if (bytes.byteLength === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ClientError("The server's answer cannot be read: it is not JSON", { cause });
  }
}

async function compress(bytes: Uint8Array<ArrayBuffer>, coding: Compression): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream(coding));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
