import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../helpers/folder.ts';
import { float, type Graph, int64, onnxModel, type Tensor } from '../../helpers/onnx-model.ts';

/** Writes the model to a file that is removed after the test; gives its path. */
export async function modelFile(graph: Graph, opsets: Readonly<Record<string, number>> = { '': 18 }): Promise<string> {
  const folder = await temporaryFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  const path = join(folder.path, 'model.onnx');
  await writeFile(path, onnxModel({ ...graph, opsets }));
  return path;
}

export function integers(name: string, values: readonly number[], dims: readonly number[] = [values.length]): Tensor {
  return { name, type: int64, dims, int64s: values.map(BigInt) };
}

export function floats(name: string, values: readonly number[], dims: readonly number[] = [values.length]): Tensor {
  return { name, type: float, dims, raw: new Uint8Array(Float32Array.from(values).buffer) };
}

/** An input or output of floats. */
export function floatValue(...shape: (number | string)[]) {
  return { element: float, shape };
}
