import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { folders, type WorkloadName } from '../options.ts';

/** The ONNX file of each workload; the ones that a script makes are made when they are missing. */
export function modelFiles(): Readonly<Record<WorkloadName, string>> {
  const made = path.join(folders.cache, 'models');
  const files = {
    tiny: path.join(folders.repository, 'models', 'iris', '1', 'model.onnx'),
    mid: path.join(made, 'mid.onnx'),
    heavy: path.join(made, 'heavy.onnx'),
    binary: path.join(made, 'binary.onnx'),
  };
  if (!Object.values(files).every((file) => existsSync(file))) makeModels(made);
  return files;
}

function makeModels(folder: string): void {
  const python = path.join(folders.python, 'models', 'bin', 'python');
  if (!existsSync(python)) {
    throw new Error(`The models are made by Python: run bench/peers/install.sh first (looked for ${python})`);
  }
  execFileSync(python, [path.join(folders.bench, 'models', 'make_models.py'), folder], { stdio: 'inherit' });
}
