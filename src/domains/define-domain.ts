import type { z } from 'zod';
import { AppError } from '../errors.ts';
import type { EncodeContext } from '../serving/encode-context.ts';
import type { DecodedGroup, EncodedGroup } from '../serving/instance-groups.ts';
import type { ServedModel } from '../serving/served-model.ts';
import type { Signature, Tensors } from '../tensor/tensor.ts';
import type { SlicedWork } from '../timing/sliced-work.ts';
import { domainFaults } from './domain-faults.ts';

/** How an uploaded file, or a raw body, becomes an instance. */
export interface FileInput<Instance> {
  /** Name of the multipart field. */
  readonly field: string;
  /** Media types that are taken as a raw body. */
  readonly mediaTypes: readonly string[];
  /** @throws AppError for a file that cannot be used, with locations that begin at the instance */
  toInstance(bytes: Uint8Array): Instance;
  /** What the prediction log says of a file beside its size and digest, such as the size of a picture. */
  describe?(bytes: Uint8Array): object;
}

/**
 * A typed face of a model: what a client sends and gets, and how both become tensors.
 * From this one definition come the routes for one instance, for many, for a form and for a file.
 */
export interface Domain<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  /** Prefix of the routes and tag in the documentation. */
  readonly name: string;
  /** Model of the repository that serves the domain. */
  readonly model: string;
  /** What the model must take and give; -1 where any size fits. @default nothing is checked */
  readonly signature?: Signature;
  /**
   * Whether the server is whole without the domain: its routes are then there only while its model is, and fits.
   * @default false: a missing model makes the server not ready
   */
  readonly optional?: boolean;
  readonly summary: string;
  /** Validates one instance, and documents it. */
  readonly input: Input;
  /** Documents the result of one instance. */
  readonly output: Output;
  /** Instances that succeed, for the documentation. */
  readonly examples: readonly [z.input<Input>, ...z.input<Input>[]];
  /** Name of the field of a result that is the answer proper: what people give as the true label is compared with it. */
  readonly target?: string;
  /** Takes HTML forms, too. Default: false. */
  readonly form?: boolean;
  readonly file?: FileInput<z.output<Input>>;
  /**
   * Turns instances into the named tensors of the model, batch first.
   *
   * @param context until when; an encoder that takes long looks at it
   * @throws AppError with faults whose locations begin with the index of the instance
   */
  encode(instances: readonly z.output<Input>[], model: ServedModel, context: EncodeContext): Tensors | Promise<Tensors>;
  /**
   * Says which instances share a run, instead of {@link encode}: an encoder that knows which of them can, and which had
   * better not. Each group is decoded by itself.
   */
  encodeGroups?(
    instances: readonly z.output<Input>[],
    model: ServedModel,
    context: EncodeContext,
  ): Promise<readonly EncodedGroup[]>;
  /**
   * Makes one result for each instance of the outputs of all groups, instead of {@link decode}, where a row is not an
   * instance: `rows` says what {@link encodeGroups} has called the instances of the group.
   */
  assemble?(
    groups: readonly DecodedGroup[],
    instances: readonly z.output<Input>[],
    model: ServedModel,
  ): SlicedWork<z.output<Output>[]>;
  /** What {@link decode} does, with pauses where others may go on, for outputs that take many milliseconds. */
  decodeInSlices?(
    outputs: Tensors,
    instances: readonly z.output<Input>[],
    model: ServedModel,
  ): SlicedWork<z.output<Output>[]>;
  /**
   * Whether instances of a request share a run only where rows are known to be independent.
   * @default false: they do unless the model takes one at a time
   */
  readonly unlessIndependent?: boolean;
  /** Turns the outputs of the model into one result for each instance, in the same order. */
  decode(outputs: Tensors, instances: readonly z.output<Input>[], model: ServedModel): z.output<Output>[];
}

/** A domain whose instance type does not matter to the reader. */
export type AnyDomain = Domain<z.ZodType, z.ZodType>;

/**
 * Checks the types of a definition against each other, and gives it back.
 *
 * @throws AppError `DOMAIN_INVALID` for what the types cannot see in JavaScript, such as schemas of zod 3
 */
export function defineDomain<Input extends z.ZodType, Output extends z.ZodType>(
  definition: Domain<Input, Output>,
): Domain<Input, Output> {
  const faults = domainFaults(definition);
  if (faults.length === 0) return definition;
  throw new AppError('DOMAIN_INVALID', {
    message: `${JSON.stringify(definition.name)} is no domain: ${faults.join('; ')}`,
  });
}
