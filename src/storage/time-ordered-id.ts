import { randomUUID } from 'node:crypto';

/**
 * A new UUID of version 7 (RFC 9562, 5.7): the time in milliseconds, then random bits, so that ids are ordered by time.
 *
 * @param nowMs milliseconds since 1970
 */
export function newTimeOrderedId(nowMs: number): string {
  const time = Math.trunc(nowMs).toString(16).padStart(12, '0');
  // What follows the version is the same in version 4: the variant, and random bits.
  const random = randomUUID().slice('xxxxxxxx-xxxx-4'.length);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random}`;
}
