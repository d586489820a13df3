import type { Tensor, Tensors } from '../../../tensor/tensor.ts';
import type { TensorSource } from '../graph-plan.ts';
import type { RunPlan } from './plan/run-plan.ts';
import { copyTensor } from './wires/reshape.ts';

/** The wanted outputs of a graph. One that is an input, or a view of one, is copied: outputs share no memory with inputs. */
export function namedOutputs({ outputs }: RunPlan, inputs: Tensors, read: (source: TensorSource) => Tensor): Tensors {
  const named: Record<string, Tensor> = Object.create(null);
  for (const { name, source } of outputs) {
    const tensor = read(source);
    named[name] = sharesMemory(tensor, inputs) ? copyTensor(tensor) : tensor;
  }
  return named;
}

function sharesMemory(tensor: Tensor, inputs: Tensors): boolean {
  const memory = memoryOf(tensor);
  for (const name in inputs) {
    const input = inputs[name];
    if (input !== undefined && memoryOf(input) === memory) return true;
  }
  return false;
}

function memoryOf(tensor: Tensor): ArrayBufferLike | readonly string[] {
  return tensor.datatype === 'BYTES' ? tensor.data : tensor.data.buffer;
}
