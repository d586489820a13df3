import { randomUUID } from 'node:crypto';

const saneId = /^[\w.:/+=-]{1,128}$/;

/** The id that the client gave if it is short and printable, else a new one. */
export function saneRequestId(given: unknown): string {
  return typeof given === 'string' && saneId.test(given) ? given : randomUUID();
}
