import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../helpers/folder.ts';
import { run, runToFailure } from './program.ts';

/** The file with a fault in it, to see that whoever checks it would find one. */
async function spoilt(path: string, text: string, replacement: string) {
  const folder = await temporaryFolder();
  const content = await readFile(path, 'utf8');
  expect(content).toContain(text);
  const copy = join(folder.path, 'spoilt.yaml');
  await writeFile(copy, content.replace(text, replacement));
  return { path: copy, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

describe('deploy/compose.yaml', () => {
  const check = ['--builtin-schema', 'vendor.compose-spec'];

  it('fits the compose specification', async () => {
    await run('check-jsonschema', ...check, 'deploy/compose.yaml');
  });

  it('is really looked at', async () => {
    await using file = await spoilt('deploy/compose.yaml', 'healthcheck:', 'heathcheck:');
    expect(await runToFailure('check-jsonschema', ...check, file.path)).toContain('heathcheck');
  });
});

describe('deploy/prometheus', () => {
  it('is a configuration that Prometheus takes', async () => {
    expect(await run('promtool', 'check', 'config', 'deploy/prometheus/prometheus.yaml')).toContain('SUCCESS');
  });

  it('has alerts that fire when they should, and only then', async () => {
    expect(await run('promtool', 'test', 'rules', 'deploy/prometheus/alerts.test.yaml')).toContain('SUCCESS');
  });
});

describe('deploy/kserve', () => {
  const manifests = ['deploy/kserve/serving-runtime.yaml', 'deploy/kserve/inference-service.yaml'];

  it('fits the types of KServe', async () => {
    const said = await run('python3', 'test/deploy/check_kserve.py', ...manifests);
    expect(said.match(/^checked /gm)).toHaveLength(3);
  });

  it('is really looked at', async () => {
    await using file = await spoilt('deploy/kserve/serving-runtime.yaml', 'protocolVersions', 'protocolVersion');
    expect(await runToFailure('python3', 'test/deploy/check_kserve.py', file.path)).toContain(
      'protocolVersion: V1alpha1ServingRuntimeSpec has no such field',
    );
  });
});
