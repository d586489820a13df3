import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnyDomain } from '../domains/define-domain.ts';
import { requireDomains } from '../domains/require-domains.ts';
import { AppError } from '../errors.ts';
import { shippedDomains } from './shipped-domains.ts';

/**
 * The domains that are the default export of a module, one or an array; without a module those of the shipped models.
 *
 * @param file path of the module, from the working directory: JavaScript, or TypeScript whose types Node.js strips
 * @throws AppError `DOMAIN_INVALID` when the module cannot be loaded, or its default export is something else
 */
export async function readDomains(file: string | undefined): Promise<readonly AnyDomain[]> {
  if (file === undefined) return shippedDomains();
  const path = resolve(file);
  if (!existsSync(path)) throw invalid(`${file}: there is no such file in ${process.cwd()}`);
  const exported = await load(file, path);
  const expected = 'expected a domain of defineDomain, or an array of them';
  if (!('default' in exported)) throw invalid(`${file} has no default export, ${expected}`);
  const values = [exported['default']].flat();
  if (values.length === 0) throw invalid(`${file} exports no domain, ${expected}`);
  return requireDomains(values, file);
}

async function load(file: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (cause) {
    // The place of the fault, which is the author's to mend, is in the stack alone.
    const reason =
      cause instanceof AppError || !(cause instanceof Error) ? String(cause) : (cause.stack ?? cause.message);
    throw new AppError('DOMAIN_INVALID', { message: `${file} cannot be loaded: ${reason}`, cause });
  }
}

function invalid(message: string): AppError {
  return new AppError('DOMAIN_INVALID', { message });
}
