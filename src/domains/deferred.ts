import { backgroundTerms } from '../serving/call-terms.ts';
import type { DeferredWork } from '../serving/deferred-work.ts';
import type { Infer } from '../serving/infer.ts';
import type { AnyDomain } from './define-domain.ts';
import type { BodyShape } from './instances.ts';
import { decodeRuns, groupedInstances, separateInstances, typedRequest } from './typed-request.ts';

/** What is kept of a request to a domain that is answered later. */
export interface DomainOrder {
  readonly shape: BodyShape;
  readonly instances: readonly unknown[];
}

/** Name of the work in what is stored. */
export function domainWorkName({ name }: AnyDomain): string {
  return `domain/${name}`;
}

/** Predicts by a domain, later, with the results that its routes would answer. */
export function domainWork(domain: AnyDomain, infer: Infer): DeferredWork {
  return {
    name: domainWorkName(domain),
    async run(input, context) {
      const { shape, instances } = input as DomainOrder;
      const typed = typedRequest(domain, instances);
      const separate = separateInstances(domain, instances);
      const grouped = groupedInstances(domain, instances);
      const request = { ...backgroundTerms(context), model: domain.model, typed, separate, grouped };
      const { answer: results, predictionId } = await infer(
        request,
        (served, encoding) => domain.encode(instances, served, encoding),
        (inference) => decodeRuns(domain, inference, instances),
      );
      return { result: shape === 'one' ? results[0] : { predictions: results }, predictionId };
    },
  };
}
