import type { GraphListener } from './graph.ts';
import type { OnnxFile, OnnxValue } from './onnx-file.ts';
import type { TensorSummary } from './tensor.ts';
import { malformed } from './wire-reader.ts';

/** What has been read of a model so far. */
export class ModelDescription {
  irVersion = 0;
  producer = '';
  hasGraph = false;
  readonly opsets = new Map<string, number>();
  readonly metadata = new Map<string, string>();
  readonly mainGraph: GraphListener;

  readonly #nodes: OnnxFile['nodes'][number][] = [];
  readonly #inputs: OnnxValue[] = [];
  readonly #outputs: OnnxValue[] = [];
  readonly #initializers = new Set<string>();
  readonly #externalData = new Set<string>();
  readonly #smallInts = new Map<string, readonly number[]>();
  /** Names whose value depends on where one looks. */
  readonly #ambiguous = new Set<string>();
  #functions = 0;

  constructor() {
    this.mainGraph = {
      ...this.#inner(''),
      node: (node) => this.#nodes.push({ ...node, inMainGraph: true }),
      initializer: (tensor) => {
        this.#initializers.add(tensor.name);
        this.#addTensor(tensor.name, tensor);
      },
      input: (value) => this.#inputs.push(value),
      output: (value) => this.#outputs.push(value),
      subgraph: this.#inner(''),
    };
  }

  /** Listens to the next local function. */
  nextFunction(): GraphListener {
    this.#functions += 1;
    return this.#inner(`function ${this.#functions}: `);
  }

  #inner(prefix: string): GraphListener {
    const listener: GraphListener = {
      prefix,
      node: (node) => this.#nodes.push({ ...node, inMainGraph: false }),
      initializer: (tensor) => this.#addTensor(`${prefix}${tensor.name}`, tensor),
      constant: (output, tensor) => this.#addTensor(output, tensor),
      input: ({ name }) => this.#ambiguous.add(`${prefix}${name}`),
      output: () => undefined,
      get subgraph() {
        return listener;
      },
    };
    return listener;
  }

  #addTensor(name: string | undefined, { smallInts, externalLocation }: TensorSummary): void {
    if (externalLocation !== undefined) this.#externalData.add(externalLocation);
    if (name === undefined) return;
    const before = this.#smallInts.get(name);
    if (before !== undefined && String(before) !== String(smallInts)) this.#ambiguous.add(name);
    if (smallInts === undefined) this.#ambiguous.add(name);
    else this.#smallInts.set(name, smallInts);
  }

  /** @throws AppError `MODEL_LOAD_FAILED` when there is no graph */
  finish(): OnnxFile {
    if (!this.hasGraph) throw malformed('it has no graph');
    for (const name of this.#ambiguous) this.#smallInts.delete(name);
    for (const { opType, outputs } of this.#nodes) {
      if (opType !== 'Constant') for (const name of outputs) this.#smallInts.delete(name);
    }
    const { irVersion, producer, opsets, metadata } = this;
    return {
      irVersion,
      producer,
      opsets,
      metadata,
      inputs: this.#inputs.filter(({ name }) => !this.#initializers.has(name)),
      outputs: this.#outputs,
      nodes: this.#nodes,
      smallInts: this.#smallInts,
      initializers: this.#initializers,
      externalData: [...this.#externalData],
    };
  }
}
