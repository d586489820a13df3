import { checkOutputs, checkSignature } from '../tensor/check-signature.ts';
import { commonRows } from '../tensor/rows.ts';
import { type Signature, type Tensor, type Tensors, tensorBytes } from '../tensor/tensor.ts';

/** What the batcher needs to know of a prediction. */
export interface ReadRequest {
  /** In the order of the signature. */
  readonly inputs: readonly Tensor[];
  /** Wanted outputs as indexes into the signature, in its order. */
  readonly outputs: readonly number[];
  /** Equal for requests that can share a run; undefined when it must run by itself. */
  readonly group: string | undefined;
  /** 1 when it must run by itself: the first dimension may then be anything. */
  readonly rows: number;
  readonly bytes: number;
  /** Set for a part of a request that was cut. */
  readonly isPart?: true;
}

/** Reads requests for one signature, and names what comes back. */
export class RequestReader {
  readonly #signature: Signature;
  readonly #allOutputs: readonly number[];
  /** Whether shapes differ by their rows alone, so that every request can be joined with every other. */
  readonly #uniform: boolean;

  constructor(signature: Signature) {
    this.#signature = signature;
    this.#allOutputs = signature.outputs.map((_, index) => index);
    this.#uniform = signature.inputs.every(({ shape }) => shape.length > 0 && !shape.includes(-1, 1));
  }

  /**
   * Checks the inputs against the signature and says what can be joined with them.
   *
   * @throws AppError `SIGNATURE_MISMATCH` or `MALFORMED_TENSOR` with every fault
   */
  read(tensors: Tensors, wanted: readonly string[] | undefined, joins: boolean): ReadRequest {
    checkSignature(this.#signature, tensors);
    const outputs = wanted === undefined ? this.#allOutputs : this.#outputIndexes(wanted);
    const inputs: Tensor[] = [];
    let bytes = 0;
    for (const { name } of this.#signature.inputs) {
      const tensor = tensors[name];
      if (tensor === undefined) continue;
      inputs.push(tensor);
      bytes += tensorBytes(tensor);
    }
    const rows = commonRows(inputs);
    const group = joins && rows > 0 ? this.#group(inputs, outputs) : undefined;
    return { inputs, outputs, group, rows: group === undefined ? 1 : rows, bytes };
  }

  /** The outputs of those indexes under their names. */
  name(outputs: readonly Tensor[], indexes: readonly number[]): Tensors {
    const named: Record<string, Tensor> = {};
    for (let i = 0; i < indexes.length; i += 1) {
      const spec = this.#signature.outputs[indexes[i] ?? 0];
      const output = outputs[i];
      if (spec !== undefined && output !== undefined) named[spec.name] = output;
    }
    return named;
  }

  #outputIndexes(wanted: readonly string[]): readonly number[] {
    checkOutputs(this.#signature, wanted);
    return this.#allOutputs.filter((index) => wanted.includes(this.#signature.outputs[index]?.name ?? ''));
  }

  #group(inputs: readonly Tensor[], outputs: readonly number[]): string {
    let key = outputs === this.#allOutputs ? '' : outputs.join();
    if (this.#uniform) return key;
    for (const { shape } of inputs) {
      key += ';';
      for (let axis = 1; axis < shape.length; axis += 1) key += `${shape[axis]},`;
    }
    return key;
  }
}
