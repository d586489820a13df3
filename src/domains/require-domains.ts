import { AppError } from '../errors.ts';
import type { AnyDomain } from './define-domain.ts';
import { domainFaults } from './domain-faults.ts';

/**
 * Gives the values back if they are domains.
 *
 * @param where what messages call the list, such as the file that it comes from
 * @throws AppError `DOMAIN_INVALID` that names every fault of every domain
 */
export function requireDomains(values: readonly unknown[], where: string): readonly AnyDomain[] {
  const domains = values.filter((value): value is AnyDomain => domainFaults(value).length === 0);
  const faults = values.flatMap((value, index) => {
    const own = domainFaults(value);
    return own.length === 0 ? [] : [`${nameOf(value) ?? `number ${index + 1}`} is no domain: ${own.join('; ')}`];
  });
  const names = domains.map((domain) => domain.name);
  const twice = [...new Set(names.filter((candidate, index) => names.indexOf(candidate) < index))];
  faults.push(...twice.map((candidate) => `the name ${JSON.stringify(candidate)} is that of several domains`));
  if (faults.length > 0) throw new AppError('DOMAIN_INVALID', { message: `${where}: ${faults.join('; ')}` });
  return domains;
}

function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('name' in value)) return undefined;
  return typeof value.name === 'string' ? JSON.stringify(value.name) : undefined;
}
