import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnyDomain } from '../domains/define-domain.ts';
import { shippedDomains } from './shipped-domains.ts';

/**
 * The domains that a module exports, each by itself or in lists; those that come along without a module.
 *
 * @param file path of the module, from the working directory
 * @throws Error with a message for people when there are none; what the module throws
 */
export async function readDomains(file: string | undefined): Promise<readonly AnyDomain[]> {
  if (file === undefined) return shippedDomains();
  const exported: Readonly<Record<string, unknown>> = await import(pathToFileURL(resolve(file)).href);
  // What is exported by its name is often the default as well.
  const domains = [...new Set(Object.values(exported).flat())].filter(isDomain);
  if (domains.length === 0) throw new Error(`${file} exports no domain, expected some of defineDomain`);
  return domains;
}

function isDomain(value: unknown): value is AnyDomain {
  if (typeof value !== 'object' || value === null) return false;
  return ['name', 'model', 'input', 'output', 'encode', 'decode'].every((member) => member in value);
}
