import { normalizeIP } from '@fastify/rate-limit';
import type { Requester } from './caller-limits.ts';

/**
 * For whom a request counts: the key, or the address without one. The addresses of an IPv6 network of 64 bits count
 * as one, for that is what a single subscriber gets.
 */
export function callerKey({ caller, ip }: Requester): string {
  return caller === undefined ? `address:${normalizeIP(ip)}` : `key:${caller.id}`;
}
