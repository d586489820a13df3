/** `npm pack` and `npm publish` call this before (`prepack`) and after (`postpack`) they collect the files. */
import { execFileSync } from 'node:child_process';
import { enterBundle, leaveBundle, removeBuild } from './onnxruntime-bundle.ts';

const projectDir = new URL('..', import.meta.url).pathname;
const runtimeDir = new URL('../node_modules/onnxruntime-node', import.meta.url).pathname;

if (process.argv[2] === 'after') {
  leaveBundle(runtimeDir);
} else {
  removeBuild(projectDir);
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: projectDir, stdio: 'inherit' });
  enterBundle(runtimeDir);
}
