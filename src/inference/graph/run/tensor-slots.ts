import { AppError } from '../../../errors.ts';
import { type Tensor, type Tensors, tensorBytes } from '../../../tensor/tensor.ts';
import type { TensorSource } from '../graph-plan.ts';
import { type RunPlan, type Slots, slotOf, sourceText } from './plan/run-plan.ts';
import type { InFlight } from './under-way.ts';

/** The tensors between the steps of one request. Each is dropped after its last reader. */
export class TensorSlots {
  readonly #inputs: Tensors;
  readonly #slots: Slots;
  readonly #readers: number[];
  readonly #tensors: (Tensor | undefined)[];
  readonly #inFlight: InFlight;
  #bytes = 0;

  constructor({ slots, slotReaders }: RunPlan, inputs: Tensors, inFlight: InFlight) {
    this.#slots = slots;
    this.#readers = slotReaders.slice();
    this.#tensors = new Array(slotReaders.length);
    this.#inputs = inputs;
    this.#inFlight = inFlight;
  }

  /** @throws AppError `QUEUE_FULL` when there is no room for it */
  put(slot: number, tensor: Tensor): void {
    if ((this.#readers[slot] ?? 0) === 0) return;
    const bytes = tensorBytes(tensor);
    this.#inFlight.hold(bytes);
    this.#bytes += bytes;
    this.#tensors[slot] = tensor;
  }

  read(source: TensorSource): Tensor {
    const isInput = source.step === 'input';
    const tensor = isInput ? this.#inputs[source.tensor] : this.#tensors[slotOf(this.#slots, source) ?? -1];
    if (tensor !== undefined) return tensor;
    throw new AppError('INTERNAL', { message: `${sourceText(source)} is read before it is there` });
  }

  /** To be called when a reader of these has ended. */
  release(slots: readonly number[]): void {
    for (const slot of slots) {
      const left = (this.#readers[slot] ?? 0) - 1;
      this.#readers[slot] = left;
      const tensor = this.#tensors[slot];
      if (left > 0 || tensor === undefined) continue;
      this.#tensors[slot] = undefined;
      this.#forget(tensorBytes(tensor));
    }
  }

  clear(): void {
    this.#forget(this.#bytes);
    this.#tensors.fill(undefined);
  }

  #forget(bytes: number): void {
    this.#bytes -= bytes;
    this.#inFlight.hold(-bytes);
  }
}
