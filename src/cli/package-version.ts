import { readFileSync } from 'node:fs';
import { z } from 'zod';

const packageJson = z.object({ version: z.string() });

/** Version of this program, as its package says; the package is one folder above `src` and `dist`. */
export function packageVersion(): string {
  const path = new URL('../../package.json', import.meta.url);
  return packageJson.parse(JSON.parse(readFileSync(path, 'utf8'))).version;
}
