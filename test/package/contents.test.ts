import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { bundledManifest, enterBundle, leaveBundle } from '../../scripts/onnxruntime-bundle.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { projectDir } from '../helpers/process.ts';

const run = promisify(execFile);
const runtimeDir = join(projectDir, 'node_modules/onnxruntime-node');

describe('package.json', () => {
  it('exports what the build makes of the sources', () => {
    for (const { types, default: main } of Object.values(packageJson.exports)) {
      const source = main.replace('./dist/', 'src/').replace(/\.js$/, '.ts');
      expect(existsSync(join(projectDir, source)), source).toBe(true);
      expect(types).toBe(main.replace(/\.js$/, '.d.ts'));
    }
  });

  it('has a program that can be run', () => {
    expect(() => accessSync(join(projectDir, packageJson.bin.inferd), constants.X_OK)).not.toThrow();
  });

  it('runs no script where it is installed', () => {
    const atInstall = ['preinstall', 'install', 'postinstall', 'prepare'];
    expect(Object.keys(packageJson.scripts).filter((name) => atInstall.includes(name))).toEqual([]);
  });
});

describe('the bundled onnxruntime-node', () => {
  it('has neither scripts nor what only they need', async () => {
    const upstream = JSON.parse(await readFile(join(runtimeDir, 'package.json'), 'utf8'));
    const manifest = bundledManifest(upstream);
    expect(manifest).toMatchObject({ name: 'onnxruntime-node', version: upstream.version, main: upstream.main });
    expect(manifest['scripts']).toBeUndefined();
    expect(manifest['dependencies']).toEqual({ 'onnxruntime-common': upstream.version });
    expect(packageJson.bundleDependencies).toEqual(['onnxruntime-node']);
    expect(packageJson.dependencies['onnxruntime-node']).toBe(upstream.version);
  });

  it('leaves out for macOS only what is there a second time, by a name that the binding does not load', () => {
    const folder = join(runtimeDir, 'bin/napi-v6/darwin/arm64');
    const read = (name: string) => readFileSync(join(folder, name));
    const { version } = JSON.parse(readFileSync(join(runtimeDir, 'package.json'), 'utf8'));
    const second = `libonnxruntime.${version}.dylib`;
    expect(read(second).equals(read('libonnxruntime.1.dylib'))).toBe(true);
    expect(read('onnxruntime_binding.node').includes('@rpath/libonnxruntime.1.dylib')).toBe(true);
    expect(read('onnxruntime_binding.node').includes(second)).toBe(false);
  });

  it('is in its folder for the time of packing alone', async () => {
    await using folder = await temporaryFolder();
    const upstream = JSON.stringify({
      version: '1.2.3',
      scripts: { postinstall: 'x' },
      dependencies: { 'adm-zip': '1' },
    });
    const path = join(folder.path, 'package.json');
    await writeFile(path, upstream);
    enterBundle(folder.path);
    // A pack that was interrupted never came to its end.
    enterBundle(folder.path);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ version: '1.2.3' });
    expect(await readFile(path, 'utf8')).not.toContain('postinstall');
    leaveBundle(folder.path);
    leaveBundle(folder.path);
    expect(await readFile(path, 'utf8')).toBe(upstream);
  });
});

describe('bin/inferd.cjs', () => {
  it('says at once which Node.js it needs', async () => {
    const old = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.4' } });";
    await using folder = await temporaryFolder();
    const preload = join(folder.path, 'old.cjs');
    await writeFile(preload, old);
    const failed = await run(process.execPath, ['--require', preload, 'bin/inferd.cjs', 'serve'], {
      cwd: projectDir,
    }).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'inferd needs Node.js 24 or newer, this is 20.19.4\n',
    });
  });

  it('is written in the syntax of Node.js that is that old', async () => {
    const text = await readFile(join(projectDir, packageJson.bin.inferd), 'utf8');
    expect(text).not.toMatch(/=>|`|\bconst\b|\blet\b|\bimport\b\s*[({'"*]|\?\?|\?\.|^export/m);
  });

  it('starts the program of the package that it lies in', async () => {
    await using folder = await temporaryFolder();
    for (const name of ['bin/inferd.cjs', 'bin/start.cjs']) {
      await mkdir(join(folder.path, 'bin'), { recursive: true });
      await writeFile(join(folder.path, name), await readFile(join(projectDir, name)));
    }
    await mkdir(join(folder.path, 'dist'));
    await writeFile(
      join(folder.path, 'package.json'),
      JSON.stringify({ type: 'module', engines: packageJson.engines }),
    );
    await writeFile(join(folder.path, 'dist/main.js'), 'console.log(process.argv.slice(2).join());');
    const { stdout } = await run(process.execPath, [join(folder.path, 'bin/inferd.cjs'), 'serve', '--help']);
    expect(stdout).toBe('serve,--help\n');
  });
});
