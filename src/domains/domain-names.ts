import { AppError } from '../errors.ts';
import type { AnyDomain } from './define-domain.ts';

/** First parts of the paths that the server has itself, or will have. */
const reservedNames = new Set(
  [
    'console store audit models tasks predictions workflows runs batches backfills traffic v1 v2 health docs',
    'openapi.json metrics predict embed rerank invocations ping',
  ].flatMap((names) => names.split(' ')),
);

/** Whether routes of that name would be the server's own. */
export function isReservedName(name: string): boolean {
  return reservedNames.has(name);
}

const domainName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * Refuses domains whose routes would be others' or none.
 *
 * @throws AppError `SETTINGS_INVALID`
 */
export function checkDomainNames(domains: readonly AnyDomain[]): void {
  const names = domains.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    if (reservedNames.has(name))
      throw refused(name, `is taken by the server itself, as are ${[...reservedNames].join(', ')}`);
    if (!domainName.test(name)) throw refused(name, 'is no part of a path: expected letters, digits, ".", "_" and "-"');
    if (names.indexOf(name) !== index) throw refused(name, 'is that of two domains');
  }
}

function refused(name: string, why: string): AppError {
  return new AppError('SETTINGS_INVALID', {
    message: `The name ${JSON.stringify(name)} of a domain ${why}`,
    received: name,
  });
}
