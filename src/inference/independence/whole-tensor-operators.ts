import type { OnnxFile, OnnxNode } from '../../onnx-file/onnx-file.ts';
import { onValues, ValueLevels } from './value-levels.ts';

/**
 * Operators that mix rows, or may for inputs that a trial does not happen to make: what they do with a row depends on
 * the values of others. Definitions: https://onnx.ai/onnx/operators and ContribOperators.md of ONNX Runtime.
 */
const mixesRows: Readonly<Record<string, string>> = {
  DynamicQuantizeLinear: 'takes its scale from all rows together',
  DynamicQuantizeMatMul: 'takes its scale from all rows together',
  DynamicQuantizeLSTM: 'takes its scale from all rows together',
  NonMaxSuppression: 'lists what it finds in all rows together',
  NonZero: 'lists what it finds in all rows together',
  Unique: 'compares all rows',
  Compress: 'leaves out what its condition says',
  RoiAlign: 'refers to rows by their number',
  MaxRoiPool: 'refers to rows by their number',
  Loop: 'may go on until the last row is ready',
  Scan: 'may carry something from row to row',
  BeamSearch: 'goes on until the last row is ready',
  GreedySearch: 'goes on until the last row is ready',
  Sampling: 'goes on until the last row is ready',
  WhisperBeamSearch: 'goes on until the last row is ready',
};

const random = new Set([
  'RandomNormal',
  'RandomUniform',
  'RandomNormalLike',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
]);

/** Operators that work along one axis, with the axis that they take when none is named. */
const defaultAxis: Readonly<Record<string, number>> = {
  ArgMax: 0,
  ArgMin: 0,
  Softmax: -1,
  LogSoftmax: -1,
  Hardmax: -1,
  TopK: -1,
  LpNormalization: -1,
};

/** Operators that read or write, along an axis that is the first unless another is named, at places that an input says. */
const byPlace: Readonly<Record<string, number>> = {
  Gather: 1,
  GatherElements: 1,
  Scatter: 1,
  ScatterElements: 1,
};

/** Inputs that say how large the output is, by operator. */
const sizeInputs: Readonly<Record<string, readonly number[]>> = {
  Reshape: [1],
  Expand: [1],
  Tile: [1],
  ConstantOfShape: [0],
  Range: [0, 1, 2],
  Slice: [1, 2],
  Pad: [1],
  OneHot: [1],
  TopK: [1],
  Split: [1],
  Resize: [2, 3],
  Upsample: [1],
  CenterCropPad: [1],
};

/**
 * The first operator of a model that may let one row change what becomes of another, in a sentence; undefined if there is
 * none. A trial with some inputs cannot show that such an operator is harmless for all. What hangs on the shapes of the
 * inputs alone is left to the trial.
 */
export function wholeTensorOperator(file: OnnxFile): string | undefined {
  const levels = new ValueLevels(file);
  for (const node of file.nodes) {
    const clause = faultOf(node, levels, file);
    if (clause === undefined) continue;
    const name = node.name === '' ? '' : ` (${JSON.stringify(node.name.slice(0, 80))})`;
    return `The operator ${node.opType}${name} ${clause}.`;
  }
  return undefined;
}

function faultOf(node: OnnxNode, levels: ValueLevels, file: OnnxFile): string | undefined {
  const { opType, inputs } = node;
  if (random.has(opType)) return 'gives random values';
  if (!inputs.some((name) => levels.of(name) === onValues)) return undefined;
  if (Object.hasOwn(mixesRows, opType)) return mixesRows[opType];
  if (opType === 'If') return 'takes the same branch for all rows';
  const sized = sizeInputs[opType]?.some((index) => levels.of(inputs[index] ?? '') === onValues) ?? false;
  if (sized) return 'gives a shape that depends on values';
  if (opType === 'Einsum' && mixesInEinsum(node, levels)) return 'works across rows';
  // What it works along is the first axis of something that depends on values, or all axes.
  if (levels.of(inputs[0] ?? '') !== onValues) return undefined;
  const places = byPlace[opType];
  if (places !== undefined && levels.of(inputs[places] ?? '') === onValues) {
    return (intsOf(node, 'axis')?.[0] ?? 0) === 0 ? 'refers to rows by their number' : undefined;
  }
  return worksAcrossRows(node, file) ? 'works across rows' : undefined;
}

/** Whether an Einsum does not keep the first dimension of what depends on values as the first of what it gives. */
function mixesInEinsum({ inputs, strings }: OnnxNode, levels: ValueLevels): boolean {
  const [operands = '', result = ''] = (strings?.get('equation')?.[0] ?? '').replaceAll(' ', '').split('->');
  const first = (term: string) => (term.startsWith('...') ? '...' : term.charAt(0));
  const rows = operands.split(',').filter((_, index) => levels.of(inputs[index] ?? '') === onValues);
  return rows.some((term) => first(term) === '' || first(term) !== first(result));
}

function worksAcrossRows(node: OnnxNode, file: OnnxFile): boolean {
  const { opType } = node;
  if (opType.startsWith('Reduce')) return reducesRows(node, file);
  if (opType === 'CumSum') return axesInput(node, file)?.includes(0) ?? true;
  if (opType === 'MeanVarianceNormalization') return intsOf(node, 'axes')?.includes(0) ?? true;
  if (opType === 'ReverseSequence') return (intsOf(node, 'time_axis')?.[0] ?? 0) === 0;
  if (opType === 'BatchNormalization') return intsOf(node, 'training_mode')?.[0] === 1;
  const axis = defaultAxis[opType];
  return axis !== undefined && (intsOf(node, 'axis')?.[0] ?? axis) === 0;
}

/** Axes of a reduction are an attribute or, in later versions of the operators, an input; none stands for all. */
function reducesRows(node: OnnxNode, file: OnnxFile): boolean {
  const named = intsOf(node, 'axes');
  if (named !== undefined && named.length > 0) return named.includes(0);
  if ((node.inputs[1] ?? '') !== '') return axesInput(node, file)?.includes(0) ?? true;
  return intsOf(node, 'noop_with_empty_axes')?.[0] !== 1;
}

function axesInput({ inputs }: OnnxNode, { smallInts }: OnnxFile): readonly number[] | undefined {
  return smallInts.get(inputs[1] ?? '');
}

function intsOf({ ints }: OnnxNode, name: string): readonly number[] | undefined {
  const values = ints.get(name);
  return values === undefined ? undefined : Array.from(values, Number);
}
