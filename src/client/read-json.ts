import { ClientError } from './client-error.ts';

/** An object of a reply, before its members are looked at. */
export type Members = Readonly<Record<string, unknown>>;

/** @throws ClientError when the value is no object */
export function readMembers(value: unknown, what: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unexpected(what, 'an object');
  return { ...value };
}

/** @throws ClientError when the value is no list */
export function readList<T>(value: unknown, what: string, readElement: (element: unknown) => T): T[] {
  if (!Array.isArray(value)) throw unexpected(what, 'a list');
  return value.map(readElement);
}

/** @throws ClientError when the member is no text */
export function readText(members: Members, name: string): string {
  const value = members[name];
  if (typeof value !== 'string') throw unexpected(name, 'a text');
  return value;
}

export function readOptionalText(members: Members, name: string): string | undefined {
  return members[name] === undefined || members[name] === null ? undefined : readText(members, name);
}

/** @throws ClientError when the value is no number */
export function readNumber(value: unknown, what: string): number {
  if (typeof value !== 'number') throw unexpected(what, 'a number');
  return value;
}

function unexpected(what: string, expected: string): ClientError {
  return new ClientError(`The server's answer cannot be read: ${what} is not ${expected}`);
}
