import { invalidFace } from '../face-faults.ts';
import { readSafetensors } from './safetensors.ts';

/** A layer behind the pooling: `activation(weight · x + bias)`. */
export interface Dense {
  readonly inputs: number;
  readonly outputs: number;
  apply(vector: Float64Array): Float64Array;
}

const activations: ReadonlyMap<string, (value: number) => number> = new Map([
  ['torch.nn.modules.linear.Identity', (value: number) => value],
  ['torch.nn.modules.activation.Tanh', Math.tanh],
]);

/**
 * Reads a module `Dense` of sentence-transformers.
 *
 * @param where what faults call the folder
 * @throws AppError `FACE_INVALID`
 */
export function readDense(where: string, config: Readonly<Record<string, unknown>>, weights: Uint8Array): Dense {
  const name = String(config['activation_function'] ?? 'torch.nn.modules.activation.Tanh');
  const activation = activations.get(name);
  if (activation === undefined) {
    throw invalidFace([
      `${where}/config.json: activation_function is ${name}, expected ${[...activations.keys()].join(' or ')}`,
    ]);
  }
  const tensors = readSafetensors(weights, `${where}/model.safetensors`);
  const weight = tensors.get('linear.weight');
  const bias = tensors.get('linear.bias');
  const [outputs, inputs] = weight?.shape ?? [];
  if (weight === undefined || inputs === undefined || outputs === undefined || weight.shape.length !== 2) {
    throw invalidFace([`${where}/model.safetensors: expected linear.weight of two dimensions`]);
  }
  if (bias !== undefined && bias.values.length !== outputs) {
    throw invalidFace([
      `${where}/model.safetensors: linear.bias has ${bias.values.length} values, expected ${outputs}`,
    ]);
  }
  const apply = (vector: Float64Array) => {
    if (vector.length !== inputs) {
      throw invalidFace([`${where}: it takes ${inputs} values, those before it give ${vector.length}`]);
    }
    return Float64Array.from({ length: outputs }, (_, row) => {
      let sum = bias?.values[row] ?? 0;
      for (let column = 0; column < inputs; column++)
        sum += (weight.values[row * inputs + column] ?? 0) * (vector[column] ?? 0);
      return activation(sum);
    });
  };
  return { inputs, outputs, apply };
}
