import { defineConfig } from 'vitest/config';

// Tests that need programs from outside of npm: CONTRIBUTING.md names them.
export default defineConfig({
  test: {
    include: ['test/deploy/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
  },
});
