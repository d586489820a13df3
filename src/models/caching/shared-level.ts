import type { CacheEvents } from '../../inference/cache/cache-events.ts';
import type { SharedLevel } from '../../inference/cache/cached-predictor.ts';
import type { SharedAnswers } from '../../inference/cache/shared/shared-answers.ts';
import type { Log } from '../../timing/log.ts';
import type { Assembled } from '../assembled.ts';

/** Where servers share answers. */
export interface SharedCache {
  /** The answers of one version. */
  open(events: CacheEvents | undefined): SharedAnswers;
}

interface VersionToShare {
  readonly name: string;
  readonly version: string;
  /** What answers now, of all that this process has loaded. */
  readonly identity: () => string | undefined;
  readonly identify: Assembled['identify'];
  readonly events: CacheEvents | undefined;
  readonly log: Pick<Log, 'warn'>;
}

export interface OpenSharedLevel extends SharedLevel {
  /** Forgets the answers of all servers to what the version is now. @returns how many there were */
  clear(): Promise<number>;
}

/** @returns undefined for what cannot be told to be the same on another server; the log says so */
export async function openSharedLevel(
  shared: SharedCache,
  { name, version, identity, identify, events, log }: VersionToShare,
): Promise<OpenSharedLevel | undefined> {
  if (identify === undefined) {
    log.warn(
      { model: name, version },
      'cache.shared of model.json means nothing here: the files of the model are elsewhere',
    );
    return undefined;
  }
  const answers = shared.open(events);
  const contents = new ContentIdentity(identity, identify, (err) =>
    log.warn({ err, model: name, version }, 'The files of the version could not be read: its answers are not shared'),
  );
  if ((await contents.prepare()) === undefined) {
    log.warn(
      { model: name, version },
      'It cannot be told whether other servers have the same files: answers are not shared yet',
    );
  }
  return {
    answers,
    identity: () => contents.current(),
    clear: async () => {
      const current = await contents.prepare();
      return current === undefined ? 0 : answers.clear(current);
    },
  };
}

/** What answers by its contents. It is found out once for each load, and for each binding of a graph. */
class ContentIdentity {
  readonly #local: () => string | undefined;
  readonly #identify: () => Promise<string | undefined>;
  readonly #onError: (error: unknown) => void;
  #of: string | undefined;
  #contents: string | undefined;
  #underWay: Promise<string | undefined> | undefined;

  constructor(
    local: () => string | undefined,
    identify: () => Promise<string | undefined>,
    onError: (error: unknown) => void,
  ) {
    this.#local = local;
    this.#identify = identify;
    this.#onError = onError;
  }

  /** Undefined while it is being found out. */
  current(): string | undefined {
    const local = this.#local();
    if (local === undefined) return undefined;
    if (local === this.#of) return this.#contents;
    void this.prepare();
    return undefined;
  }

  prepare(): Promise<string | undefined> {
    this.#underWay ??= this.#findOut().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #findOut(): Promise<string | undefined> {
    const local = this.#local();
    if (local === undefined || local === this.#of) return this.#contents;
    let contents: string | undefined;
    try {
      contents = await this.#identify();
    } catch (thrown) {
      this.#onError(thrown);
    }
    // What it stands on has changed meanwhile, so that nobody knows of what was read.
    if (this.#local() !== local) return undefined;
    this.#of = local;
    this.#contents = contents;
    return contents;
  }
}
