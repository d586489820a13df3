import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const original = 'package.json.upstream';

/**
 * Makes the package.json of onnxruntime-node that the package carries: without its install script, without what only that
 * script needs, and with just the files that a server needs. docs/decisions/0006-onnxruntime-in-the-package.md says why.
 */
export function bundledManifest(upstream: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { name, version, description, license, author, repository, main, types, os, dependencies } = upstream;
  const common = (dependencies as Readonly<Record<string, string>>)['onnxruntime-common'];
  return {
    ...{ name, version, description, license, author, repository, main, types, os },
    dependencies: { 'onnxruntime-common': common },
    // The second name of the same library, which the binding does not load: 45 MB.
    files: ['dist/*.js', 'dist/*.d.ts', 'bin', `!bin/**/libonnxruntime.${version}.dylib`],
  };
}

/** Puts that package.json into the installed package, for `npm pack` to find. */
export function enterBundle(packageFolder: string): void {
  const path = join(packageFolder, 'package.json');
  leaveBundle(packageFolder);
  const text = readFileSync(path, 'utf8');
  writeFileSync(join(packageFolder, original), text);
  // Renamed into its place, so that a program that starts meanwhile reads the one or the other.
  const staged = `${path}.staged`;
  writeFileSync(staged, `${JSON.stringify(bundledManifest(JSON.parse(text)), undefined, 2)}\n`);
  renameSync(staged, path);
}

/** Puts the package.json of the installed package back; does nothing where that has been done. */
export function leaveBundle(packageFolder: string): void {
  try {
    renameSync(join(packageFolder, original), join(packageFolder, 'package.json'));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

/** Removes what earlier builds have left, which `npm pack` would take along. */
export function removeBuild(projectDir: string): void {
  rmSync(join(projectDir, 'dist'), { recursive: true, force: true });
}
