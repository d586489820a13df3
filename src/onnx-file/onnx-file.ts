/** An operator of a graph, without its tensors. */
export interface OnnxNode {
  /** Empty for the operators of ONNX itself. */
  readonly domain: string;
  readonly opType: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Integer attributes (`i` and `ints`) by name: bigints where one of them is beyond ±2^53. A list of more than 1024
   * (100,000 where it names classes) is left out, and so is what refers to an attribute of a function. Graphs are flattened out into `nodes`.
   */
  readonly ints: ReadonlyMap<string, readonly bigint[] | readonly number[]>;
  /** String attributes (`s` and `strings`) by name, up to 1024 each; up to 100,000 names of classes. */
  readonly strings?: ReadonlyMap<string, readonly string[]>;
}

/** An input or output of the main graph. */
export interface OnnxValue {
  readonly name: string;
  readonly kind: 'tensor' | 'sequence' | 'map' | 'optional' | 'sparse_tensor' | 'unknown';
  /** As ONNX writes types: `tensor(float)`, `seq(map(int64,tensor(float)))`. */
  readonly type: string;
  /** A number, a symbolic name, or '' for unknown; undefined when there is no shape. */
  readonly shape?: readonly (number | string)[];
}

/** What an ONNX file says about its model, without the tensors. */
export interface OnnxFile {
  readonly irVersion: number;
  readonly producer: string;
  /** The version of each operator set by its domain; '' is ONNX itself. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Values of more than 1 MiB are left out. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What a caller feeds: without the inputs that have an initializer. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /**
   * Nodes of the main graph, of every subgraph (bodies of If, Loop, Scan) and of every local function. The names of
   * tensors of a function are a space of their own: they have the number of the function before them.
   */
  readonly nodes: readonly (OnnxNode & { readonly inMainGraph: boolean })[];
  /**
   * Initializers and constants of int32 or int64 of up to 64 elements, by name: axes and the like. A name that has
   * other values in another graph is left out. Values beyond ±2^53 are rounded.
   */
  readonly smallInts: ReadonlyMap<string, readonly number[]>;
  /** Names of all initializers of the main graph. */
  readonly initializers: ReadonlySet<string>;
  /** Relative locations of external data, each once, in the order of the file. */
  readonly externalData: readonly string[];
}
