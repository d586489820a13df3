import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** They look at what their process has loaded, or at its memory, or change its environment. */
const alone = [
  'test/*.test.ts',
  'test/e2e/*.test.ts',
  'test/models/external-data.test.ts',
  'test/onnx-file/read-onnx-file.test.ts',
  'test/protocols/open-inference/rest/{compression,repository}.test.ts',
  'test/serving/reload.test.ts',
  'test/storage/template.test.ts',
  'test/telemetry/open-telemetry.test.ts',
];
// They need programs from outside of npm, `npm run test:deploy`, or minutes, `npm run test:package`.
const elsewhere = ['test/deploy/**', 'test/package-install/**'];

export default defineConfig({
  test: {
    // Tests end when what they wait for has come, on a busy machine ten times as late: these only end what hangs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Shorter than the longest TASK_POLL_MS, so that a test which sets that sees whether a task was found by polling alone.
    expect: { poll: { timeout: 50_000 } },
    // Runner processes share the cores with the tests: more test files at once only make each of them slower.
    maxWorkers: 2,
    // The suite starts hundreds of processes of the same few programs: each takes its compiled modules from here.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/inferd-test-compiled', import.meta.url)) },
    projects: [
      { extends: true, test: { name: 'alone', include: alone, exclude: elsewhere } },
      // Nothing in `src/` works at import or keeps state in a module, so that files may share what they import.
      {
        extends: true,
        test: { name: 'together', include: ['test/**/*.test.ts'], exclude: [...elsewhere, ...alone], isolate: false },
      },
    ],
  },
});
