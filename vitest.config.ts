import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They need programs from outside of npm, `npm run test:deploy`, or minutes, `npm run test:package`.
    exclude: ['test/deploy/**', 'test/package-install/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Runner processes share the cores with the tests: more test files at once only make each of them slower.
    maxWorkers: 2,
    // The suite starts hundreds of processes of the same few programs: each takes its compiled modules from here.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/inferd-test-compiled', import.meta.url)) },
  },
});
