#!/usr/bin/env node
import { run } from './cli/run.ts';
import { AppError } from './errors.ts';

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (thrown) {
  const isExpected = thrown instanceof AppError && thrown.code !== 'INTERNAL';
  process.stderr.write(
    `inferd: ${isExpected ? thrown.message : String(thrown instanceof Error ? thrown.stack : thrown)}\n`,
  );
  process.exit(1);
}
