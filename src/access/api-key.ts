import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

const written = /^inferd_([0-9a-f]{8})_[A-Za-z0-9_-]{43}$/;

/** A new key: `inferd_`, a public id of 8 hexadecimal digits, and 256 random bits. */
export function newApiKey(): { readonly id: string; readonly key: string } {
  const id = randomBytes(4).toString('hex');
  return { id, key: `inferd_${id}_${randomBytes(32).toString('base64url')}` };
}

/** The public id in a key; undefined for a text that {@link newApiKey} did not make. */
export function idOfApiKey(key: string): string | undefined {
  return written.exec(key)?.[1];
}

/**
 * The SHA-256 of a key. A slow hash such as scrypt is for passwords, which can be guessed; of 256 random bits every
 * guess is hopeless, and a slow hash would only make each request cost tens of milliseconds.
 */
export function hashApiKey(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

/** Whether two hashes are equal; how long that takes does not tell where they differ. */
export function sameHash(a: Buffer, b: Buffer): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
