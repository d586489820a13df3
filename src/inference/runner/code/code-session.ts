import { pathToFileURL } from 'node:url';
import type { OnnxValue } from 'onnxruntime-node';
import { type DataType, isDataType, typedArrays } from '../../../tensor/data-type.ts';
import { datatypeOf, type ValueDescription } from '../messages.ts';
import type { RunnerSession } from '../runner-program.ts';

/** An input or output as the code declares it: `-1` stands for a free dimension, a text for one that has a name. */
interface DeclaredTensor {
  readonly name: string;
  readonly datatype: DataType;
  readonly shape: readonly (number | string)[];
}

interface CodeTensor {
  readonly datatype: DataType;
  readonly shape: readonly number[];
  readonly data: unknown;
}

type RunCode = (
  tensors: Readonly<Record<string, CodeTensor>>,
  context: { readonly rows: number; readonly signal: AbortSignal },
) => unknown;

const onnxTypes = new Map(Object.entries(datatypeOf).map(([type, datatype]) => [datatype, type]));

/**
 * Imports the code of a model: `inputs` and `outputs` as metadata has them, and `run(tensors, { rows, signal })`, which gives
 * the outputs by name, or a promise of them.
 *
 * @throws Error that says what of it is missing
 */
export async function openCodeSession(path: string): Promise<RunnerSession> {
  const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(path).href);
  const inputs = readDeclared(module['inputs'], 'inputs');
  const outputs = readDeclared(module['outputs'], 'outputs');
  const run = readRun(module['run']);
  // A run ends by its own means, or with its process at its deadline.
  const { signal } = new AbortController();
  return {
    inputMetadata: inputs.map(describe),
    outputMetadata: outputs.map(describe),
    outputNames: outputs.map(({ name }) => name),
    run: async (feeds, wanted) => {
      const tensors: Record<string, CodeTensor> = {};
      for (const { name, datatype } of inputs) {
        const value = feeds[name];
        if (value !== undefined) tensors[name] = { datatype, shape: value.dims, data: value.data };
      }
      const [first] = inputs;
      const rows = (first && tensors[first.name]?.shape[0]) ?? 1;
      const results = await run(tensors, { rows, signal });
      return Object.fromEntries(wanted.map((name) => [name, outputOf(name, outputs, results)]));
    },
    release: async () => {},
  };
}

function readDeclared(value: unknown, what: 'inputs' | 'outputs'): readonly DeclaredTensor[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new Error(`model.ts: export ${what}, a list of { name, datatype, shape }`);
  }
  return value.map((each: unknown, index) => {
    const { name, datatype, shape }: { name?: unknown; datatype?: unknown; shape?: unknown } =
      typeof each === 'object' && each !== null ? each : {};
    const where = `model.ts: ${what}[${index}]`;
    if (typeof name !== 'string' || name === '') throw new Error(`${where}.name: expected a text`);
    if (typeof datatype !== 'string' || !isDataType(datatype)) {
      throw new Error(`${where}.datatype: expected one of ${[...onnxTypes.keys()].join(', ')}`);
    }
    if (!isShape(shape)) throw new Error(`${where}.shape: expected a list of whole numbers from -1 up, and names`);
    return { name, datatype, shape };
  });
}

function isShape(value: unknown): value is readonly (number | string)[] {
  return (
    Array.isArray(value) &&
    value.every((size) => (typeof size === 'string' ? size !== '' : Number.isInteger(size) && size >= -1))
  );
}

function readRun(value: unknown): RunCode {
  if (typeof value !== 'function') throw new Error('model.ts: export a function run(tensors, { rows, signal })');
  return (tensors, context) => value(tensors, context);
}

function describe({ name, datatype, shape }: DeclaredTensor): Extract<ValueDescription, { isTensor: true }> {
  const type = onnxTypes.get(datatype) ?? '';
  return { name, isTensor: true, type, shape: shape.map((size) => (size === -1 ? '' : size)) };
}

/** An output as the runner takes it from ONNX Runtime. */
function outputOf(name: string, declared: readonly DeclaredTensor[], results: unknown): OnnxValue {
  const spec = declared.find((candidate) => candidate.name === name);
  const result: unknown = typeof results === 'object' && results !== null ? Reflect.get(results, name) : undefined;
  if (spec === undefined || typeof result !== 'object' || result === null) {
    throw new Error(`run gives no output ${JSON.stringify(name)}; expected { shape, data }`);
  }
  const { datatype = spec.datatype, shape, data }: { datatype?: unknown; shape?: unknown; data?: unknown } = result;
  if (datatype !== spec.datatype) {
    throw new Error(`output ${JSON.stringify(name)} is ${String(datatype)}; expected ${spec.datatype}`);
  }
  const dims = checkedShape(name, spec, shape);
  const elements = checkedData(name, spec.datatype, data);
  const count = dims.reduce((product, size) => product * size, 1);
  if (elements.length !== count) {
    throw new Error(
      `output ${JSON.stringify(name)} has ${elements.length} elements; expected ${count}, as its shape says`,
    );
  }
  // The runner reads what the native layer would have given: type, dims and data.
  return { type: onnxTypes.get(spec.datatype), dims, data: elements } as unknown as OnnxValue;
}

function checkedShape(name: string, { shape: expected }: DeclaredTensor, shape: unknown): readonly number[] {
  const fits =
    Array.isArray(shape) &&
    shape.length === expected.length &&
    shape.every((size, axis) => {
      const declared = expected[axis];
      return (
        Number.isInteger(size) && size >= 0 && (typeof declared === 'string' || declared === -1 || declared === size)
      );
    });
  if (fits) return shape;
  throw new Error(
    `output ${JSON.stringify(name)} has the shape ${JSON.stringify(shape)}; expected ${JSON.stringify(expected)}`,
  );
}

function checkedData(name: string, datatype: DataType, data: unknown): ArrayLike<unknown> {
  if (datatype === 'BYTES') {
    if (Array.isArray(data) && data.every((text) => typeof text === 'string')) return data;
    throw new Error(`output ${JSON.stringify(name)} has other data than a list of texts`);
  }
  const expected = typedArrays[datatype];
  if (data instanceof expected) return data;
  throw new Error(`output ${JSON.stringify(name)} has other data than a ${expected.name}`);
}
