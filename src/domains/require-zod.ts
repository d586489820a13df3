import { z } from 'zod';
import { AppError } from '../errors.ts';

/** The peer dependency of package.json. 4.4.0 and 4.4.1 take an absent key of `z.preprocess` for a fault; `exactOptional` is as old as 4.3. */
export const zodRange = '4.3.x || ^4.4.2';

/** As far as it is needed here, and as it may be missing from other versions. */
interface Zod {
  readonly core?: { readonly version?: { readonly major: number; readonly minor: number; readonly patch: number } };
}

/**
 * Checks the zod that is installed beside inferd: some package managers only warn when it is another one than the package
 * asks for, and what fails then says nothing of it.
 *
 * @throws AppError `DOMAIN_INVALID` with the version that is installed
 */
export function requireZod({ core }: Zod = z): void {
  const version = core?.version;
  if (version !== undefined && isSupported(version)) return;
  const received = version === undefined ? '3 or older' : `${version.major}.${version.minor}.${version.patch}`;
  const expected = zodRange;
  throw new AppError('DOMAIN_INVALID', {
    message: `zod ${received} is installed, inferd needs zod ${expected}: npm install zod@4`,
    received,
    expected,
  });
}

function isSupported({ major, minor, patch }: { major: number; minor: number; patch: number }): boolean {
  return major === 4 && minor >= 3 && !(minor === 4 && patch < 2);
}
