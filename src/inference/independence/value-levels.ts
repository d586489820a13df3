import type { OnnxFile, OnnxNode } from '../../onnx-file/onnx-file.ts';

/** What a value of a graph depends on: on nothing, on the shapes of the inputs alone, or on their values. */
export type ValueLevel = 0 | 1 | 2;

export const onShapes: ValueLevel = 1;
export const onValues: ValueLevel = 2;

const readsShape = new Set(['Shape', 'Size']);
/** Operators whose graphs may also read what is not among their inputs. */
const hasGraphs = new Set(['If', 'Loop', 'Scan', 'SequenceMap']);
const ownDomains = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft']);

/**
 * What every value of a model depends on, by its name. A name that is not known, such as an input of the body of a loop,
 * counts as depending on values.
 */
export class ValueLevels {
  readonly #levels = new Map<string, ValueLevel>();

  constructor({ nodes, inputs, initializers, smallInts }: OnnxFile) {
    for (const name of [...initializers, ...smallInts.keys()]) this.#levels.set(name, 0);
    for (const { outputs } of nodes) for (const name of outputs) this.#levels.set(name, 0);
    for (const { name } of inputs) this.#levels.set(name, onValues);
    // Graphs inside of nodes may stand before what they read, and levels only grow.
    while (this.#pass(nodes));
  }

  of(name: string): ValueLevel {
    if (name === '') return 0;
    return this.#levels.get(name) ?? onValues;
  }

  #pass(nodes: readonly OnnxNode[]): boolean {
    let changed = false;
    for (const node of nodes) {
      const level = this.#levelOf(node);
      for (const name of node.outputs) {
        if (this.of(name) >= level) continue;
        this.#levels.set(name, level);
        changed = true;
      }
    }
    return changed;
  }

  #levelOf({ domain, opType, inputs }: OnnxNode): ValueLevel {
    if (hasGraphs.has(opType) || !ownDomains.has(domain)) return onValues;
    const level = inputs.reduce<ValueLevel>((highest, name) => (this.of(name) > highest ? this.of(name) : highest), 0);
    return readsShape.has(opType) && level === onValues ? onShapes : level;
  }
}
