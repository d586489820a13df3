import type { Redis } from './open-redis.ts';

interface Value {
  readonly bytes: Uint8Array;
  readonly ttlMs: number;
}

/** Values in Redis, with the time that each is still kept. */
export class RedisBytes {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** @returns for each key what is there; what is no string is not there */
  async get(keys: readonly string[]): Promise<readonly (Value | undefined)[]> {
    const pipeline = this.#redis.pipeline();
    for (const key of keys) pipeline.getBuffer(key).pttl(key);
    const replies = (await pipeline.exec()) ?? [];
    return keys.map((_, index) => {
      const bytes = replyOf(replies[2 * index]);
      const ttlMs = replyOf(replies[2 * index + 1]);
      // Without an end it is none of ours, and below 0 it ended between the two commands.
      return Buffer.isBuffer(bytes) && typeof ttlMs === 'number' && ttlMs > 0 ? { bytes, ttlMs } : undefined;
    });
  }

  async set(key: string, bytes: Uint8Array, ttlMs: number): Promise<void> {
    await this.#redis.set(key, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 'PX', Math.ceil(ttlMs));
  }

  async clear(prefix: string): Promise<number> {
    let count = 0;
    let cursor = '0';
    do {
      const [next, keys] = await this.#redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 1000);
      cursor = next;
      if (keys.length > 0) count += await this.#redis.unlink(...keys);
    } while (cursor !== '0');
    return count;
  }
}

function replyOf(reply: [Error | null, unknown] | undefined): unknown {
  const [error, value] = reply ?? [];
  // Somebody else has put another kind of value there.
  if (error?.message.startsWith('WRONGTYPE') === true) return undefined;
  if (error) throw error;
  return value;
}
