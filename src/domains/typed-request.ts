import type { DecodableInference, TypedRequest } from '../serving/infer.ts';
import type { SeparateInstances } from '../serving/separate-instances.ts';
import type { ServedModel } from '../serving/served-model.ts';
import type { AnyDomain } from './define-domain.ts';

/** Tells logs what stands behind the tensors of a request to a domain. */
export function typedRequest({ name }: AnyDomain, instances: readonly unknown[]): TypedRequest {
  return { domain: name, instances };
}

/** One result for each instance, whether they ran together or each by itself. */
export function decodeRuns(
  domain: AnyDomain,
  { outputs, runs = [outputs], model }: Pick<DecodableInference, 'outputs' | 'runs' | 'model'>,
  instances: readonly unknown[],
): unknown[] {
  const [together] = runs;
  if (runs.length === 1 && together !== undefined) return domain.decode(together, instances, model);
  return runs.flatMap((ofOne, index) => domain.decode(ofOne, instances.slice(index, index + 1), model));
}

/** How the instances are encoded where each runs by itself. */
export function separateInstances(domain: AnyDomain, instances: readonly unknown[]): SeparateInstances<ServedModel> {
  return {
    count: instances.length,
    encode: (index, model, context) => domain.encode(instances.slice(index, index + 1), model, context),
  };
}

/** What the prediction log says of a file of a domain, by the name of the domain. */
export function describeFileBy(
  named: (name: string) => AnyDomain | undefined,
): (domain: string, file: Uint8Array) => object {
  return (domain, bytes) => named(domain)?.file?.describe?.(bytes) ?? {};
}
