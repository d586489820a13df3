import { z } from 'zod';
import { referencePattern } from '../../names/reference.ts';
import { type DataType, typedArrays } from '../../tensor/data-type.ts';

/** Exporters give tensors any name, numbers too. */
const tensorName = z.string().min(1).max(256);
const stepName = /^[a-z][A-Za-z0-9_]{0,63}$/;
const dataTypes: readonly DataType[] = [...(Object.keys(typedArrays) as (keyof typeof typedArrays)[]), 'BYTES'];

/** Names that rules and wires use for something else. */
export const reservedStepNames = ['input', 'headers', 'key', 'now', 'rows'] as const;

const source = z
  .string()
  .regex(/^[a-z][A-Za-z0-9_]{0,63}\../, 'expected "step.output" or "input.name"')
  .describe('Where a tensor comes from: step.output, or input.name');

const literal = z.union([z.number(), z.boolean(), z.string(), z.array(z.json())]);

const adapters = {
  cast: z.enum(dataTypes).exactOptional().describe('Data type to convert to, by the rules of ONNX Cast'),
  reshape: z
    .array(z.int().min(-1))
    .min(1)
    .max(16)
    .exactOptional()
    .describe('New shape; the first dimension counts rows and is -1, the elements of a row stay'),
  columns: z.array(z.int().min(0)).min(1).max(65_536).exactOptional().describe('Indices of the last axis, in order'),
};

const tensorWire = z.strictObject({ from: source, ...adapters });
const literalWire = z.strictObject({
  value: literal.describe('One row, repeated for each row of the request'),
  ...adapters,
});
const wire = z.union(
  [source, tensorWire, literalWire],
  'expected "step.output", or an object with "from" or "value" and cast, reshape, columns',
);

const reference = z.string().regex(referencePattern, 'expected name, name@2 or name@label');

const inputs = z
  .record(tensorName, wire)
  .describe('Where each input of the member comes from; unset: input.<same name>');

const literalFallback = z.strictObject({ outputs: z.record(tensorName, literal) });
const fallback = z
  .union([reference, literalFallback], 'expected the name of a model, or an object with "outputs"')
  .describe('What answers when the member is overloaded, late or broken; never for a bad input');

const memberCall = {
  model: reference.describe('Name of the member, with @version or @label where one is meant'),
  in: inputs.exactOptional(),
  timeoutMs: z.int().min(1).max(3_600_000).exactOptional(),
  fallback: fallback.exactOptional(),
};
const use = z.record(tensorName, wire).describe('Outputs made of tensors that are there already');

const common = {
  name: z
    .string()
    .regex(stepName, 'expected a small letter, then letters, digits and _')
    .refine((given) => !reservedStepNames.some((reserved) => reserved === given), {
      error: `expected another name than ${reservedStepNames.join(', ')}`,
    }),
  required: z.boolean().exactOptional().describe('Whether a failure fails the request; unset: true'),
};

const when = z.string().min(1).max(4096).describe('A rule in CEL, such as small.probability >= 0.9');
const modelArm = z.strictObject({ when, ...memberCall });
const useArm = z.strictObject({ when, use });
const arm = z.union([modelArm, useArm], 'expected "when" with "model" or "use"');
const otherwiseModel = z.strictObject(memberCall);
const otherwiseUse = z.strictObject({ use });
const otherwise = z.union(
  [z.literal('refuse'), otherwiseModel, otherwiseUse],
  'expected "refuse", or an object with "model" or "use"',
);

export const combinations = ['vote', 'mean', 'max', 'min', 'concat', 'first', 'fastest'] as const;

const modelStep = z.strictObject({ ...common, ...memberCall });
const switchStep = z.strictObject({ ...common, switch: z.array(arm).min(1).max(64), otherwise });
const combineStep = z.strictObject({
  ...common,
  combine: z.enum(combinations),
  of: z
    .array(z.string())
    .min(1)
    .max(64)
    .describe('Tensors as step.output; for first and fastest, names of steps with equal outputs'),
  weights: z.array(z.number().positive()).exactOptional().describe('One for each of "of"; unset: 1'),
  quorum: z.int().min(1).exactOptional().describe('How many of "of" are enough; unset: all'),
  waitMs: z.int().min(0).max(3_600_000).exactOptional().describe('How long the rest may take once the quorum is met'),
  index: z.boolean().exactOptional().describe('Give the index of the greatest along the last axis too'),
  nan: z.enum(['propagate', 'skip']).exactOptional(),
  axis: z.int().min(-1).max(15).exactOptional(),
});

const step = z.union(
  [modelStep, switchStep, combineStep],
  'expected a step with one of "model", "switch" and "combine"',
);

const graphInput = z.strictObject({
  datatype: z.enum(dataTypes).exactOptional(),
  shape: z.array(z.int().min(-1)).exactOptional(),
  description: z.string().exactOptional(),
});

/** `graph.json`: a model made of other models. */
export const graphDefinitionSchema = z
  .strictObject({
    $schema: z.string().optional(),
    headers: z
      .array(z.string().regex(/^[a-z0-9-]{1,128}$/, 'expected a header in small letters'))
      .max(32)
      .default([])
      .describe('Headers that rules may read'),
    maxInFlight: z.int().min(1).max(1_000_000).default(1024).describe('Most requests under way'),
    maxInFlightBytes: z
      .int()
      .min(1)
      .default(256 * 1024 * 1024)
      .describe('Most bytes of tensors between steps, over all requests'),
    inputs: z.record(tensorName, graphInput).default({}).describe('Narrows inputs; unset: what they feed'),
    steps: z.array(step).min(1).max(64),
    outputs: z.record(tensorName, source).exactOptional().describe('unset: all of the last step'),
  })
  .meta({ title: 'inferd graph' });

/** An object of a graph that has one of several forms, and the key that tells which: that of the union's branch of the same index. */
export interface KeyedForms {
  /** As messages call it. */
  readonly what: string;
  readonly branches: readonly { readonly key: string | undefined; readonly keys: readonly string[] }[];
}

function keyed(key: string, schema: z.ZodObject): KeyedForms['branches'][number] {
  return { key, keys: Object.keys(schema.shape) };
}

/** Stands for a branch that is a text. */
const text = { key: undefined, keys: [] };

export const keyedForms = {
  step: {
    what: 'a step',
    branches: [keyed('model', modelStep), keyed('switch', switchStep), keyed('combine', combineStep)],
  },
  arm: { what: 'an arm', branches: [keyed('model', modelArm), keyed('use', useArm)] },
  otherwise: { what: '"otherwise"', branches: [text, keyed('model', otherwiseModel), keyed('use', otherwiseUse)] },
  wire: { what: 'a wire', branches: [text, keyed('from', tensorWire), keyed('value', literalWire)] },
  fallback: { what: 'a fallback', branches: [text, keyed('outputs', literalFallback)] },
} as const satisfies Record<string, KeyedForms>;

/** Keys of the objects that have one form. */
export const plainKeys = {
  graph: Object.keys(graphDefinitionSchema.shape),
  input: Object.keys(graphInput.shape),
} as const;

/** The JSON Schema by which editors complete `graph.json`. */
export function graphJsonSchema(): unknown {
  return z.toJSONSchema(graphDefinitionSchema, { io: 'input', reused: 'ref' });
}

export type GraphDefinition = z.output<typeof graphDefinitionSchema>;
export type StepDefinition = GraphDefinition['steps'][number];
export type ModelStepDefinition = z.output<typeof modelStep>;
export type SwitchStepDefinition = z.output<typeof switchStep>;
export type CombineStepDefinition = z.output<typeof combineStep>;
export type ArmDefinition = z.output<typeof arm>;
export type OtherwiseDefinition = z.output<typeof otherwise>;
export type WireDefinition = z.output<typeof wire>;
export type Literal = z.output<typeof literal>;
export type Combination = (typeof combinations)[number];
