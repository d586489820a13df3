import { AppError } from '../../errors.ts';
import type { EncodeContext } from '../../serving/encode-context.ts';
import type { EncodedGroup } from '../../serving/instance-groups.ts';
import type { ServedModel } from '../../serving/served-model.ts';
import type { Tensors } from '../../tensor/tensor.ts';

type EncodeGroups<Instance> = (
  instances: readonly Instance[],
  model: ServedModel,
  context: EncodeContext,
) => Promise<readonly EncodedGroup[]>;

/** The encoders of a domain whose instances share runs in groups. */
export function byGroups<Instance>(encodeGroups: EncodeGroups<Instance>) {
  const encode = async (
    instances: readonly Instance[],
    model: ServedModel,
    context: EncodeContext,
  ): Promise<Tensors> => {
    const [group, ...others] = await encodeGroups(instances, model, context);
    if (group !== undefined && others.length === 0) return group.inputs;
    throw new AppError('INTERNAL', {
      message: `${instances.length} instances make ${others.length + 1} runs, not one`,
    });
  };
  return { encode, encodeGroups };
}
