import { createHash } from 'node:crypto';
import type { Tensor } from '../tensor/tensor.ts';

/** How long inputs that ended a runner are refused. */
export const refusedForMs = 5 * 60_000;
/** Most inputs that are remembered; the oldest are forgotten first. */
const mostRemembered = 1_000;

interface Death {
  readonly shapes: string;
  readonly reason: string;
  readonly untilMs: number;
}

/**
 * The inputs that ended a runner while nothing else shared their run, by digest. Digests are computed only of inputs
 * with the shapes of one that is remembered: a model whose runners live pays nothing.
 */
export class DeadlyInputs {
  /** By shapes and digest, the oldest first. */
  readonly #deaths = new Map<string, Death>();
  /** How many of the remembered have those shapes. */
  readonly #shapes = new Map<string, number>();
  /** A request that waits is looked up at several moments. */
  readonly #keys = new WeakMap<readonly Tensor[], string>();

  /** How many are remembered. */
  get size(): number {
    return this.#deaths.size;
  }

  /** Remembers that the runner ended for that reason. */
  remember(inputs: readonly Tensor[], reason: string, nowMs: number): void {
    this.#forgetOld(nowMs);
    const shapes = shapesOf(inputs);
    const key = this.#keyOf(inputs, shapes);
    this.#forget(key);
    this.#deaths.set(key, { shapes, reason, untilMs: nowMs + refusedForMs });
    this.#shapes.set(shapes, (this.#shapes.get(shapes) ?? 0) + 1);
    const [oldest] = this.#deaths.keys();
    if (this.#deaths.size > mostRemembered && oldest !== undefined) this.#forget(oldest);
  }

  /** Why the runner ended that had these inputs; undefined if that is not remembered. */
  reasonOf(inputs: readonly Tensor[], nowMs: number): string | undefined {
    if (this.#deaths.size === 0) return undefined;
    this.#forgetOld(nowMs);
    const shapes = shapesOf(inputs);
    return this.#shapes.has(shapes) ? this.#deaths.get(this.#keyOf(inputs, shapes))?.reason : undefined;
  }

  #keyOf(inputs: readonly Tensor[], shapes: string): string {
    let key = this.#keys.get(inputs);
    if (key === undefined) {
      key = `${shapes} ${digestOf(inputs)}`;
      this.#keys.set(inputs, key);
    }
    return key;
  }

  #forgetOld(nowMs: number): void {
    for (const [key, { untilMs }] of this.#deaths) {
      if (untilMs > nowMs) return;
      this.#forget(key);
    }
  }

  #forget(key: string): void {
    const death = this.#deaths.get(key);
    if (death === undefined) return;
    this.#deaths.delete(key);
    const left = (this.#shapes.get(death.shapes) ?? 0) - 1;
    if (left > 0) this.#shapes.set(death.shapes, left);
    else this.#shapes.delete(death.shapes);
  }
}

function shapesOf(inputs: readonly Tensor[]): string {
  return inputs.map(({ shape }) => shape.join()).join(';');
}

/** Of the elements alone: inputs of one model differ by nothing else when their shapes are the same. */
function digestOf(inputs: readonly Tensor[]): string {
  const hash = createHash('sha256');
  for (const tensor of inputs) {
    if (tensor.datatype === 'BYTES') {
      for (const text of tensor.data) hash.update(`${Buffer.byteLength(text)}:`).update(text);
    } else {
      const { buffer, byteOffset, byteLength } = tensor.data;
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return hash.digest('base64');
}
