import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeModel } from '../faces/classifier-model.ts';
import { float, int64, type Model, type Tensor } from '../helpers/onnx-model.ts';

const rows = (columns: number) => ({ element: float, shape: ['n', columns] });

function weights(name: string, dims: readonly number[], values: readonly number[]): Tensor {
  return { name, type: float, dims, raw: new Uint8Array(Float32Array.from(values).buffer) };
}

/** Brings `amount` and `age` to numbers around 1: the preprocessing of the classifiers. */
export const scaler: Model = {
  inputs: { x: rows(2) },
  outputs: { scaled: rows(2) },
  nodes: [{ op: 'Div', inputs: ['x', 'by'], outputs: ['scaled'] }],
  initializers: [weights('by', [2], [100, 10])],
};

/** Probabilities of two classes out of two numbers, by a matrix of its own. */
export function classifier(matrix: readonly number[]): Model {
  return {
    inputs: { scaled: rows(2) },
    outputs: { p: rows(2), label: { element: int64, shape: ['n'] }, sure: { element: float, shape: ['n'] } },
    nodes: [
      { op: 'MatMul', inputs: ['scaled', 'w'], outputs: ['logits'] },
      { op: 'Softmax', inputs: ['logits'], outputs: ['p'], attributes: [{ name: 'axis', int: 1 }] },
      {
        op: 'ArgMax',
        inputs: ['p'],
        outputs: ['label'],
        attributes: [
          { name: 'axis', int: 1 },
          { name: 'keepdims', int: 0 },
        ],
      },
      {
        op: 'ReduceMax',
        inputs: ['p'],
        outputs: ['sure'],
        attributes: [
          { name: 'axes', ints: [1] },
          { name: 'keepdims', int: 0 },
        ],
      },
    ],
    opsets: { '': 13 },
    initializers: [weights('w', [2, 2], matrix)],
  };
}

/** A repository of small models that graphs can be made of. */
export async function writeMembers(repository: string): Promise<void> {
  const labels = { label: ['fine', 'fraud'] };
  await writeModel(repository, 'scaler', scaler);
  await writeModel(repository, 'tree', classifier([1, 0, 0, 1]), { manifest: { labels } });
  await writeModel(repository, 'net', classifier([2, 0, 0, 1]), { manifest: { labels } });
  await writeModel(repository, 'line', classifier([0, 1, 1, 0]), { manifest: { labels } });
}

/** Writes a graph where a server finds it, with a `model.json` if there is one to write. */
export async function writeGraph(
  repository: string,
  name: string,
  graph: object | string,
  { manifest, version = '1' }: { readonly manifest?: object; readonly version?: string } = {},
): Promise<void> {
  const path = join(repository, name, version, 'graph.json');
  await mkdir(dirname(path), { recursive: true });
  if (manifest !== undefined) await writeFile(join(repository, name, 'model.json'), JSON.stringify(manifest));
  await writeFile(path, typeof graph === 'string' ? graph : JSON.stringify(graph));
}
