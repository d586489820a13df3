import type { TypedRequest } from '../serving/infer.ts';
import type { AnyDomain } from './define-domain.ts';

/** Tells logs what stands behind the tensors of a request to a domain. */
export function typedRequest(domain: AnyDomain, instances: readonly unknown[]): TypedRequest {
  const { name, target, file } = domain;
  return {
    domain: name,
    instances,
    target,
    results: (outputs, model) => domain.decode(outputs, instances, model),
    describeFile: (bytes) => file?.describe?.(bytes) ?? {},
  };
}
