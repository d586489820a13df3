import type { TypedRequest } from '../serving/infer.ts';
import type { SeparateInstances } from '../serving/separate-instances.ts';
import type { ServedModel } from '../serving/served-model.ts';
import type { Tensors } from '../tensor/tensor.ts';
import type { AnyDomain } from './define-domain.ts';

/** Tells logs what stands behind the tensors of a request to a domain. */
export function typedRequest(domain: AnyDomain, instances: readonly unknown[]): TypedRequest {
  const { name, target, file } = domain;
  return {
    domain: name,
    instances,
    target,
    results: (runs, model) => decodeRuns(domain, runs, instances, model),
    describeFile: (bytes) => file?.describe?.(bytes) ?? {},
  };
}

/** One result for each instance, whether they ran together or each by itself. */
export function decodeRuns(
  domain: AnyDomain,
  runs: readonly Tensors[],
  instances: readonly unknown[],
  model: ServedModel,
): unknown[] {
  const [together] = runs;
  if (runs.length === 1 && together !== undefined) return domain.decode(together, instances, model);
  return runs.flatMap((outputs, index) => domain.decode(outputs, instances.slice(index, index + 1), model));
}

/** How the instances are encoded where each runs by itself. */
export function separateInstances(domain: AnyDomain, instances: readonly unknown[]): SeparateInstances<ServedModel> {
  return {
    count: instances.length,
    encode: (index, model, context) => domain.encode(instances.slice(index, index + 1), model, context),
  };
}
