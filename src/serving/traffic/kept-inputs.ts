import { tensorsBytes } from '../../tensor/copy.ts';
import type { Tensors } from '../../tensor/tensor.ts';

/** The inputs of every run of a request, by reference, as long as they are not too large together. */
export class KeptInputs {
  readonly #maxBytes: number;
  #runs: Tensors[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isTooLarge(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  get runs(): readonly Tensors[] {
    return this.#runs;
  }

  /** @param index of the run, which need not come in order */
  add(index: number, inputs: Tensors): void {
    this.#bytes += tensorsBytes(inputs);
    if (this.isTooLarge) this.#runs = [];
    else this.#runs[index] = inputs;
  }
}
