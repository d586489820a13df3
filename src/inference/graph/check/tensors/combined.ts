import type { Combination } from '../../graph-definition.ts';
import type { TensorForm } from './tensor-form.ts';

const floats = ['FP16', 'FP32', 'FP64'];
const integers = ['INT8', 'INT16', 'INT32', 'INT64', 'UINT8', 'UINT16', 'UINT32', 'UINT64'];

interface CombinationFacts {
  /** Data types that it takes; undefined: all. */
  readonly takes?: { readonly datatypes: readonly string[]; readonly text: string };
  /** Keys that mean something for it, beside `of`. */
  readonly keys: readonly ('weights' | 'quorum' | 'waitMs' | 'index' | 'nan' | 'axis')[];
}

/** What each combination takes; `first` and `fastest` take steps, the others tensors. */
export const combinationFacts: Readonly<Record<Combination, CombinationFacts>> = {
  vote: {
    takes: { datatypes: ['BOOL', ...integers, 'BYTES'], text: 'BOOL, integers and BYTES' },
    keys: ['weights', 'quorum', 'waitMs'],
  },
  mean: {
    takes: { datatypes: floats, text: 'FP16, FP32 and FP64' },
    keys: ['weights', 'quorum', 'waitMs', 'index', 'nan'],
  },
  max: { takes: { datatypes: [...floats, ...integers], text: 'numbers' }, keys: ['quorum', 'waitMs', 'nan'] },
  min: { takes: { datatypes: [...floats, ...integers], text: 'numbers' }, keys: ['quorum', 'waitMs', 'nan'] },
  concat: { keys: ['axis'] },
  first: { keys: [] },
  fastest: { keys: [] },
};

/** Outputs of a combination of tensors of one form. That of `concat` has the size of its axis already. */
export function combinedOutputs(
  combine: Combination,
  form: TensorForm,
  { index }: { index: boolean },
): ReadonlyMap<string, TensorForm> {
  const { shape } = form;
  const count: TensorForm = { datatype: 'INT64', shape: shape.length === 0 ? [-1] : shape.slice(0, 1) };
  switch (combine) {
    case 'vote':
      return named({ value: form, share: { datatype: 'FP32', shape }, count });
    case 'mean':
      return named({ value: form, count, ...(index && { index: { datatype: 'INT64', shape: shape.slice(0, -1) } }) });
    case 'max':
    case 'min':
      return named({ value: form, from: { datatype: 'BYTES', shape }, count });
    default:
      return named({ value: form });
  }
}

function named(forms: Readonly<Record<string, TensorForm>>): ReadonlyMap<string, TensorForm> {
  return new Map(Object.entries(forms));
}

/** The form of tensors joined along an axis; undefined when their other dimensions differ, or one has no such axis. */
export function concatenatedForm(forms: readonly TensorForm[], axis: number): TensorForm | undefined {
  const [first] = forms;
  if (first === undefined) return undefined;
  const known = forms.filter(({ shape }) => shape.length > 0);
  let joined = known[0]?.shape;
  if (joined === undefined) return first;
  const at = axis === -1 ? joined.length - 1 : axis;
  let size = known.length === forms.length ? 0 : -1;
  for (const { shape, datatype } of known) {
    if (datatype !== first.datatype || shape.length !== joined.length || at < 1 || at >= shape.length) return undefined;
    const sizes: readonly number[] = joined;
    const fits = shape.every((own, place) => place === at || own === -1 || sizes[place] === -1 || own === sizes[place]);
    if (!fits) return undefined;
    joined = joined.map((own, place) => (own === -1 ? (shape[place] ?? -1) : own));
    const own = shape[at] ?? -1;
    size = own === -1 || size === -1 ? -1 : size + own;
  }
  return { datatype: first.datatype, shape: joined.with(at, size) };
}
