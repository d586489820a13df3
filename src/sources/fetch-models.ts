import { posix } from 'node:path';
import { AppError } from '../errors.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import { checksumListName } from './checksum-list.ts';
import type { DownloadDependencies } from './download.ts';
import { fetchArchive } from './fetch-archive.ts';
import { fetchFolder } from './fetch-folder.ts';
import { ModelCache } from './model-cache.ts';
import { type ModelsSource, parseModelsUri } from './models-uri.ts';
import { RefusedByServer, SourceChanged } from './remote-file.ts';
import { openBucket, type S3Options } from './s3.ts';
import { webFile } from './web-file.ts';

export interface RemoteModelsOptions {
  /** `MODELS_URI`: see {@link parseModelsUri}. */
  readonly uri: string;
  readonly cacheDir: string;
  readonly s3: S3Options;
}

export interface RemoteModelsDependencies {
  readonly clock: Clock;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

export interface FetchOptions {
  /** Told in words what is being fetched. @default nothing is told */
  readonly report?: (what: string) => void;
  /** Ends the fetch; the next one resumes what has come. @default never */
  readonly signal?: AbortSignal;
}

/** Models that lie elsewhere, and the folder of this machine that they are served from. */
export class RemoteModels {
  /** The model repository: empty until something was fetched, and what was fetched last after a restart. */
  readonly modelsDir: string;
  readonly #source: ModelsSource;
  readonly #cache: ModelCache;
  readonly #options: RemoteModelsOptions;
  readonly #dependencies: RemoteModelsDependencies;

  private constructor(options: RemoteModelsOptions, dependencies: RemoteModelsDependencies) {
    this.#source = parseModelsUri(options.uri);
    this.#cache = new ModelCache(options.cacheDir, this.#source.id);
    this.modelsDir = this.#cache.currentDir;
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** @throws AppError `SETTINGS_INVALID` for an address that cannot be used, or a cache that cannot be written */
  static async open(options: RemoteModelsOptions, dependencies: RemoteModelsDependencies): Promise<RemoteModels> {
    const models = new RemoteModels(options, dependencies);
    await models.#cache.open().catch((cause: unknown) => {
      throw new AppError('SETTINGS_INVALID', {
        message: `MODELS_CACHE_DIR: cannot write to the folder ${options.cacheDir}`,
        cause,
      });
    });
    return models;
  }

  /**
   * Brings `modelsDir` up to date. A source that cannot be reached does not stop a server that has models of an earlier
   * start: it serves those, and says so.
   *
   * @throws AppError `MODELS_SOURCE_UNAVAILABLE` or `MODELS_FETCH_FAILED`; the reason of the signal
   */
  async fetch({ report = () => {}, signal = new AbortController().signal }: FetchOptions = {}): Promise<void> {
    const { log, clock } = this.#dependencies;
    const { display } = this.#source;
    const startedMs = clock.now();
    try {
      report(`fetching ${display}`);
      await this.#fetchSource(this.#downloadDependencies(report, signal));
      log.info({ source: display, fetch_ms: Math.round(clock.now() - startedMs) }, 'The models are up to date');
    } catch (thrown) {
      signal.throwIfAborted();
      const error = fetchError(thrown, display);
      if (error.code !== 'MODELS_SOURCE_UNAVAILABLE' || (await this.#cache.currentId()) === undefined) throw error;
      log.warn({ err: error, source: display }, 'Serving the models that were fetched at an earlier start');
    }
  }

  #fetchSource(dependencies: DownloadDependencies): Promise<void> {
    const source = this.#source;
    if (source.kind === 's3-folder') {
      return fetchFolder(openBucket(source.bucket, this.#options.s3), source.prefix, this.#cache, dependencies);
    }
    const { format, sha256 } = source;
    if (source.kind === 's3-archive') {
      const bucket = openBucket(source.bucket, this.#options.s3);
      const checksums = bucket.file(posix.join(posix.dirname(source.key), checksumListName));
      const archive = { file: bucket.file(source.key), checksums, name: posix.basename(source.key), format, sha256 };
      return fetchArchive(archive, this.#cache, dependencies);
    }
    const checksums = webFile(new URL(checksumListName, source.url));
    const name = decodeURIComponent(posix.basename(source.url.pathname));
    return fetchArchive({ file: webFile(source.url), checksums, name, format, sha256 }, this.#cache, dependencies);
  }

  #downloadDependencies(report: (what: string) => void, signal: AbortSignal): DownloadDependencies {
    const { clock, random, log } = this.#dependencies;
    const { display } = this.#source;
    return {
      clock,
      random,
      log,
      signal,
      onProgress: (file, receivedBytes, totalBytes) => {
        const of = totalBytes === undefined ? '' : ` of ${megabytes(totalBytes)}`;
        report(`fetching ${display}: ${megabytes(receivedBytes)}${of} MB of ${file}`);
      },
    };
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function fetchError(thrown: unknown, source: string): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof SourceChanged) {
    return new AppError('MODELS_SOURCE_UNAVAILABLE', {
      message: `${source} changes faster than it can be fetched`,
      cause: thrown,
    });
  }
  const hint =
    thrown instanceof RefusedByServer && (thrown.status === 401 || thrown.status === 403)
      ? '; AWS_ACCESS_KEY_ID and the like say who asks'
      : '';
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new AppError('MODELS_FETCH_FAILED', {
    message: `${source} cannot be fetched: ${message}${hint}`,
    cause: thrown,
  });
}
