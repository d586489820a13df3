import type { Expected } from './store.ts';

/** What `If-Match` asks for (RFC 9110, 13.1.1): etags with or without their quotation marks, or `*`. A weak etag matches none. */
export function readIfMatch(header: string | undefined): Expected {
  if (header === undefined) return 'nothing';
  const members = header.split(',').map((member) => member.trim());
  if (members.includes('*')) return 'any';
  return { etags: members.map((member) => /^"(.*)"$/.exec(member)?.[1] ?? member) };
}
