import { Redis } from 'ioredis';

export type { Redis };

/**
 * A connection to Redis for work that must not wait for one that is away: it fails at once then.
 *
 * @param resends whether what was sent and not answered is sent once more after the connection was lost. @default true
 */
export function openRedis(url: string, { resends = true }: { readonly resends?: boolean } = {}): Redis {
  return new Redis(url, {
    connectTimeout: 500,
    maxRetriesPerRequest: resends ? 1 : 0,
    autoResendUnfulfilledCommands: resends,
    enableOfflineQueue: false,
  });
}
