import { expect, it } from 'vitest';
import { z as zod3 } from 'zod/v3';
import packageJson from '../../package.json' with { type: 'json' };
import { requireZod, zodRange } from '../../src/domains/require-zod.ts';

it('takes the zod of the tests', () => {
  expect(() => requireZod()).not.toThrow();
});

it('names the range of the package', () => {
  expect(packageJson.peerDependencies.zod).toBe(zodRange);
});

it('refuses zod 3', () => {
  const message = 'zod 3 or older is installed, inferd needs zod 4.3.x || ^4.4.2: npm install zod@4';
  expect(() => requireZod(zod3 as object)).toThrow(message);
});

it.each([
  [4, 2, 9, false],
  [4, 3, 0, true],
  [4, 4, 1, false],
  [4, 4, 2, true],
  [4, 10, 0, true],
  [5, 0, 0, false],
])('knows whether %s.%s.%s will do: %s', (major, minor, patch, isTaken) => {
  const version = { major, minor, patch };
  if (isTaken) expect(() => requireZod({ core: { version } })).not.toThrow();
  else expect(() => requireZod({ core: { version } })).toThrow(`zod ${major}.${minor}.${patch} is installed`);
});
