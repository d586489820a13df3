import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { float, int64, type Model, onnxModel, string } from '../helpers/onnx-model.ts';

const column = { element: float, shape: ['n', 1] };

/** `wide` or `tall`, by what is greater; the probabilities are dictionaries, as scikit-learn's exporter makes them. */
export const shapeClassifier: Model = {
  opsets: { '': 13, 'ai.onnx.ml': 1 },
  producer: 'skl2onnx',
  inputs: { width: column, height: column },
  outputs: {
    label: { element: int64, shape: ['n'] },
    probabilities: { sequence: { key: string, value: { element: float } } },
  },
  nodes: [
    { op: 'Concat', inputs: ['width', 'height'], outputs: ['x'], attributes: [{ name: 'axis', int: 1 }] },
    { op: 'Softmax', inputs: ['x'], outputs: ['p'] },
    {
      op: 'ZipMap',
      domain: 'ai.onnx.ml',
      inputs: ['p'],
      outputs: ['probabilities'],
      attributes: [{ name: 'classlabels_strings', strings: ['wide', 'tall'] }],
    },
    {
      op: 'ArgMax',
      inputs: ['p'],
      outputs: ['label'],
      attributes: [
        { name: 'axis', int: 1 },
        { name: 'keepdims', int: 0 },
      ],
    },
  ],
};

/** Writes a model into a repository, with a `model.json` if there is one to write. */
export async function writeModel(
  repository: string,
  name: string,
  model: Model,
  { manifest, version = '1' }: { readonly manifest?: object; readonly version?: string } = {},
): Promise<void> {
  const folder = join(repository, name, version);
  await mkdir(folder, { recursive: true });
  if (manifest !== undefined) await writeFile(join(repository, name, 'model.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'model.onnx'), onnxModel(model));
}
