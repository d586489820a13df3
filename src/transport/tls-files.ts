import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { AppError } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Clock } from '../timing/clock.ts';
import { followFiles } from '../timing/follow-files.ts';

/** A certificate chain and its private key, PEM. */
export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface TlsFilesOptions {
  readonly certPath: string;
  readonly keyPath: string;
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Time between two looks at the files. @default 1000 */
  readonly intervalMs?: number;
  readonly log: Pick<Logger, 'info' | 'error'>;
}

/** The pair in two files, as it is now. */
export class TlsFiles {
  #pair: TlsPair;
  readonly #listeners = new Set<(pair: TlsPair) => void>();
  readonly #stop: () => void;

  private constructor(pair: TlsPair, { certPath, keyPath, clock, intervalMs = 1000, log }: TlsFilesOptions) {
    this.#pair = pair;
    this.#stop = followFiles({
      paths: [certPath, keyPath],
      initial: [pair.cert, pair.key],
      clock,
      intervalMs,
      onChange: (contents) => {
        this.#replace(pairOf(contents));
        log.info({ valid_to: new X509Certificate(this.#pair.cert).validTo }, 'TLS certificate replaced');
      },
      // Certificate and key are two files: between their changes they do not fit each other, and that heals itself.
      onProblem: (err) => log.error({ err }, 'The new TLS certificate cannot be used; the old one stays'),
    });
  }

  /**
   * Reads the files and follows them.
   *
   * @throws AppError `SETTINGS_INVALID` if they cannot be read, or do not fit each other
   */
  static async open(options: TlsFilesOptions): Promise<TlsFiles> {
    try {
      const contents = await Promise.all([readFile(options.certPath), readFile(options.keyPath)]);
      return new TlsFiles(pairOf(contents), options);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new AppError('SETTINGS_INVALID', { message: `TLS_CERT, TLS_KEY: ${reason}`, cause });
    }
  }

  get pair(): TlsPair {
    return this.#pair;
  }

  /** Calls back with every new pair, until the returned function is called. */
  whenReplaced(listener: (pair: TlsPair) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#stop();
  }

  #replace(pair: TlsPair): void {
    this.#pair = pair;
    for (const listener of this.#listeners) listener(pair);
  }
}

/** @throws Error if they are not a certificate and its key */
function pairOf([cert, key]: readonly Buffer[]): TlsPair {
  if (cert === undefined || key === undefined) throw new Error('expected a certificate and a key');
  const pair = { cert, key };
  createSecureContext(pair);
  return pair;
}
