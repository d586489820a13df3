import { toAppError } from '../../src/errors.ts';
import type { PredictContext, Predictor } from '../../src/inference/predictor.ts';
import { timingsInSequence } from '../../src/inference/timings.ts';
import type { Artifact, VersionArtifact } from '../../src/models/artifact.ts';
import type { Assemble } from '../../src/models/assembled.ts';
import type { Members } from '../../src/models/registry/lease.ts';
import { predictMember } from '../../src/serving/predict-member.ts';
import type { Tensors } from '../../src/tensor/tensor.ts';

/** A kind of the test's own: the output `y` of the first model is the input `x` of the second. */
export interface SequenceArtifact extends VersionArtifact {
  readonly kind: 'sequence';
  readonly members: readonly [string, string];
}

type Counting = Parameters<typeof predictMember>[3];

function sequence({ members: [first, second] }: SequenceArtifact, members: Members, counting: Counting): Predictor {
  const look = (name: string) => {
    const lease = members.lease(name);
    lease.release();
    return lease.predictor;
  };
  const step = (name: string, inputs: Tensors, context: PredictContext) => {
    const lease = members.lease(name);
    return predictMember(lease, inputs, context, counting).finally(() => lease.release());
  };
  return {
    signature: { inputs: look(first).signature.inputs, outputs: look(second).signature.outputs },
    independentRows: look(first).independentRows && look(second).independentRows,
    get health() {
      try {
        return [look(first).health, look(second).health].find(({ ready }) => !ready) ?? { ready: true };
      } catch (thrown) {
        return { ready: false, reason: toAppError(thrown).message };
      }
    },
    async predict(inputs, context) {
      const between = await step(first, inputs, { ...context, outputs: ['y'] });
      const last = await step(second, between.outputs['y'] === undefined ? {} : { x: between.outputs['y'] }, context);
      return { outputs: last.outputs, timings: timingsInSequence([between.timings, last.timings]) };
    },
    close: async () => {},
  };
}

/** Adds the kind to those of `assemble`. */
export function withSequences(assemble: Assemble, counting: Counting): Assemble<SequenceArtifact | Artifact> {
  return async ({ artifact, ...version }, members) =>
    artifact.kind === 'sequence'
      ? { predictor: sequence(artifact, members, counting) }
      : assemble({ ...version, artifact }, members);
}
