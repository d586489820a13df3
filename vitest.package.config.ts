import { defineConfig } from 'vitest/config';

// Packs inferd and installs it as its users do, which takes minutes: CONTRIBUTING.md says how many.
export default defineConfig({
  test: {
    globalSetup: 'test/package-install/pack.ts',
    include: ['test/package-install/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 1,
  },
});
