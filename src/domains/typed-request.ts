import type { DecodableInference, TypedRequest } from '../serving/infer.ts';
import type { GroupedInstances } from '../serving/instance-groups.ts';
import type { SeparateInstances } from '../serving/separate-instances.ts';
import type { ServedModel } from '../serving/served-model.ts';
import { commonRows, sliceRows } from '../tensor/rows.ts';
import type { Tensors } from '../tensor/tensor.ts';
import type { SlicedWork } from '../timing/sliced-work.ts';
import { inTurns } from '../timing/turns.ts';
import type { AnyDomain } from './define-domain.ts';

/** Tells logs what stands behind the tensors of a request to a domain. */
export function typedRequest(
  { name }: AnyDomain,
  instances: readonly unknown[],
  options?: TypedRequest['options'],
): TypedRequest {
  return { domain: name, instances, ...(options !== undefined && { options }) };
}

/** One result for each instance, whether they ran together or each by itself. */
export function decodeRuns(
  domain: AnyDomain,
  { outputs, runs = [outputs], groups, model }: Pick<DecodableInference, 'outputs' | 'runs' | 'groups' | 'model'>,
  instances: readonly unknown[],
): unknown[] | Promise<unknown[]> {
  if (groups !== undefined) return inTurns(decodeGroups(domain, { runs, groups, model }, instances));
  const [together] = runs;
  if (domain.decodeInSlices === undefined && runs.length === 1 && together !== undefined) {
    return domain.decode(together, instances, model);
  }
  return inTurns(decodeEach(domain, { runs, model }, instances));
}

/** The results of one run of all instances, or of one run for each. */
function* decodeEach(
  domain: AnyDomain,
  { runs, model }: Required<Pick<DecodableInference, 'runs' | 'model'>>,
  instances: readonly unknown[],
): SlicedWork<unknown[]> {
  const results: unknown[] = [];
  for (const [index, outputs] of runs.entries()) {
    const own = runs.length === 1 ? instances : instances.slice(index, index + 1);
    const decoded =
      domain.decodeInSlices === undefined
        ? domain.decode(outputs, own, model)
        : yield* domain.decodeInSlices(outputs, own, model);
    for (const result of decoded) results.push(result);
    yield;
  }
  return results;
}

/** The results of groups, in the order of the instances. A pause is where other requests may go on. */
function* decodeGroups(
  domain: AnyDomain,
  { runs, groups, model }: Required<Pick<DecodableInference, 'runs' | 'groups' | 'model'>>,
  instances: readonly unknown[],
): SlicedWork<unknown[]> {
  const results: unknown[] = new Array(instances.length);
  const { assemble } = domain;
  if (assemble !== undefined) {
    return yield* assemble.call(
      domain,
      runs.map((outputs, index) => ({ outputs, rows: groups[index] ?? [] })),
      instances,
      model,
    );
  }
  for (const [index, group] of groups.entries()) {
    for (const { outputs, start, end } of slicesOf(runs[index] ?? {}, group.length)) {
      const rows = group.slice(start, end);
      const own = rows.map((instance) => instances[instance]);
      for (const [at, result] of domain.decode(outputs, own, model).entries()) results[rows[at] ?? 0] = result;
      yield;
    }
  }
  return results;
}

/** So many elements of outputs are decoded in one go, which takes some milliseconds. */
const sliceElementCount = 2 ** 17;

/** The outputs of a run in slices of rows, where they have a row for each instance and are large; views of them. */
function* slicesOf(
  outputs: Tensors,
  rows: number,
): Generator<{ readonly outputs: Tensors; readonly start: number; readonly end: number }> {
  const tensors = Object.values(outputs);
  const elements = tensors.reduce((sum, { data }) => sum + data.length, 0);
  const whole = { outputs, start: 0, end: rows };
  const size = Math.max(1, Math.floor((sliceElementCount * rows) / Math.max(1, elements)));
  if (size >= rows || commonRows(tensors) !== rows) return yield whole;
  for (let start = 0; start < rows; start += size) {
    const end = Math.min(rows, start + size);
    const slice = Object.entries(outputs).map(([name, tensor]) => [name, sliceRows(tensor, start, end)]);
    yield { outputs: Object.fromEntries(slice), start, end };
  }
}

/** Which instances share a run, where the domain says so. */
export function groupedInstances(
  domain: AnyDomain,
  instances: readonly unknown[],
): GroupedInstances<ServedModel> | undefined {
  if (domain.encodeGroups === undefined) return undefined;
  const rowsAreInstances = domain.assemble === undefined;
  return {
    rowsAreInstances,
    encode: async (model, context) => (await domain.encodeGroups?.(instances, model, context)) ?? [],
  };
}

/** How the instances are encoded where each runs by itself. */
export function separateInstances(domain: AnyDomain, instances: readonly unknown[]): SeparateInstances<ServedModel> {
  return {
    count: instances.length,
    ...(domain.unlessIndependent === true && { unlessIndependent: true }),
    encode: (index, model, context) => domain.encode(instances.slice(index, index + 1), model, context),
  };
}

/** What the prediction log says of a file of a domain, by the name of the domain. */
export function describeFileBy(
  named: (name: string) => AnyDomain | undefined,
): (domain: string, file: Uint8Array) => object {
  return (domain, bytes) => named(domain)?.file?.describe?.(bytes) ?? {};
}
