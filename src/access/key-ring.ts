import { AppError } from '../errors.ts';
import { hashApiKey, idOfApiKey, sameHash } from './api-key.ts';
import type { Caller } from './caller.ts';
import { hashOf, type StoredKey } from './key-file.ts';
import { scopes } from './scope.ts';

interface Entry {
  readonly caller: Caller;
  readonly hash: Buffer;
  /** From when on the key is refused, in milliseconds since 1970; infinity for never. */
  readonly endsMs: number;
}

/** The headers that may carry a key; gRPC metadata of the same names does as well. */
export interface KeyHeaders {
  readonly authorization?: string | undefined;
  readonly 'x-api-key'?: string | readonly string[] | undefined;
}

const bearer = /^bearer +(\S+) *$/i;

/** The keys that are valid, and who has them. */
export class KeyRing {
  /** Keys of `API_KEYS`; they have no id, so a text is compared with each. */
  readonly #plain: readonly Entry[];
  #byId: ReadonlyMap<string, Entry> = new Map();
  readonly #nowMs: () => number;

  /**
   * @param plainKeys keys that may do everything
   * @param nowMs the time of the wall clock, for keys that expire
   */
  constructor(plainKeys: readonly string[], nowMs: () => number) {
    this.#plain = plainKeys.map((key, index) => ({
      caller: everything(index),
      hash: hashApiKey(key),
      endsMs: Number.POSITIVE_INFINITY,
    }));
    this.#nowMs = nowMs;
  }

  /** Puts these in the place of the stored keys so far. */
  replaceStored(keys: readonly StoredKey[]): void {
    this.#byId = new Map(keys.filter(({ revoked }) => revoked === undefined).map((key) => [key.id, entryOf(key)]));
  }

  /**
   * Who has the key of the request.
   *
   * @throws AppError `UNAUTHENTICATED` if there is none, or it is unknown, revoked or expired: which, is not told
   */
  authenticate(headers: KeyHeaders): Caller {
    const key = keyOf(headers);
    const message = 'Give an API key as "Authorization: Bearer …" or as "x-api-key"';
    if (key === undefined) throw new AppError('UNAUTHENTICATED', { message });
    const caller = this.#find(key);
    if (caller === undefined) throw new AppError('UNAUTHENTICATED', { message: 'The API key is not valid' });
    return caller;
  }

  #find(key: string): Caller | undefined {
    const id = idOfApiKey(key);
    const stored = id === undefined ? undefined : this.#byId.get(id);
    const candidates = stored === undefined ? this.#plain : [stored, ...this.#plain];
    const hash = hashApiKey(key);
    // Each is compared, also after the right one, so that the time does not tell which it was.
    const fitting = candidates.filter((entry) => sameHash(entry.hash, hash));
    return fitting.find(({ endsMs }) => this.#nowMs() < endsMs)?.caller;
  }
}

function keyOf(headers: KeyHeaders): string | undefined {
  const given = headers['x-api-key'];
  const fromBearer = bearer.exec(headers.authorization ?? '')?.[1];
  return fromBearer ?? (typeof given === 'string' ? given : given?.[0]);
}

function everything(index: number): Caller {
  const id = `API_KEYS[${index}]`;
  return { id, name: id, scopes: new Set(scopes), models: 'all', ratePerMinute: undefined, concurrency: undefined };
}

function entryOf(key: StoredKey): Entry {
  const { id, name, models, limits, expires } = key;
  return {
    caller: {
      id,
      name,
      scopes: new Set(key.scopes),
      models: models === 'all' ? models : new Set(models),
      ratePerMinute: limits.ratePerMinute,
      concurrency: limits.concurrency,
    },
    hash: hashOf(key),
    endsMs: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires),
  };
}
