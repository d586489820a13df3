import { randomUUID } from 'node:crypto';
import type { AnyDomain } from '../../domains/define-domain.ts';
import { decodeRuns, groupedInstances } from '../../domains/typed-request.ts';
import { toAppError } from '../../errors.ts';
import { type ModelFace, modelFaceOf } from '../../faces/model-face.ts';
import { tensorsValue } from '../../predictions/prediction-rows.ts';
import { readKept } from '../../predictions/recording/kept-text.ts';
import type { LoggedPrediction, ReplayedAnswer } from '../../predictions/replay/replay.ts';
import { isJsonObject, tensorsFromMembers } from '../../protocols/named-inputs.ts';
import type { Decode, Encode } from '../../serving/infer.ts';
import type { GroupedInstances } from '../../serving/instance-groups.ts';
import type { ServedModel } from '../../serving/served-model.ts';
import { exactJsonText } from '../../tensor/json/exact-json-text.ts';
import { finish } from '../../timing/sliced-work.ts';
import type { LocalVersion } from '../local-version.ts';

/** What a prediction can be made again of: with its options, or what its outputs show of them where they were not kept. */
type AnswerablePrediction = Pick<LoggedPrediction, 'domain' | 'inputs'> &
  Partial<Pick<LoggedPrediction, 'outputs' | 'options'>>;

/** How a kept prediction becomes tensors, and tensors what is kept of them. */
interface Terms {
  readonly encode: Encode;
  readonly grouped?: GroupedInstances<ServedModel> | undefined;
  readonly decode: Decode<unknown>;
}

/** Gives the inputs of a kept prediction to a version that this process runs. */
export async function replayAnswer(
  { infer, served }: LocalVersion,
  prediction: AnswerablePrediction,
  domains: readonly AnyDomain[],
): Promise<ReplayedAnswer> {
  const terms =
    prediction.domain === null ? tensorTerms(prediction) : domainTerms(prediction, domains, modelFaceOf(served.face));
  if (typeof terms === 'string') return { kind: 'not_understood', message: terms };
  try {
    const { name: model, version } = served;
    const signal = new AbortController().signal;
    const { encode, decode, grouped } = terms;
    const result = await infer({ model, version, requestId: randomUUID(), signal, grouped }, encode, decode);
    // As they would be kept, and read again.
    const outputs = readKept(exactJsonText(result.answer));
    return { kind: 'answer', outputs, totalMs: result.totalMs };
  } catch (thrown) {
    return { kind: 'failure', message: toAppError(thrown).message };
  }
}

function domainTerms(
  { domain: name, inputs, outputs, options }: AnswerablePrediction,
  domains: readonly AnyDomain[],
  face: ModelFace | undefined,
): Terms | string {
  const known = domains.find((candidate) => candidate.name === name);
  if (known === undefined) {
    const names = domains.map((candidate) => candidate.name).join(', ');
    return `there is no domain ${JSON.stringify(name)} here, but ${names}: give the file that exports it as --domains`;
  }
  const kept = options ?? face?.optionsOfResult(outputs);
  const domain = known === face?.domain ? face.domainWith(kept) : known;
  const parsed = domain.input.safeParse(inputs);
  if (!parsed.success) return parsed.error.issues.map(({ message }) => message).join('; ');
  const instances = [parsed.data];
  return {
    encode: (model, context) => domain.encode(instances, model, context),
    grouped: groupedInstances(domain, instances),
    decode: async (inference) => (await decodeRuns(domain, inference, instances))[0],
  };
}

function tensorTerms({ inputs }: Pick<LoggedPrediction, 'inputs'>): Terms | string {
  if (!isJsonObject(inputs)) return 'the inputs are no tensors by name';
  return {
    encode: ({ signature, independentRows }) => {
      const members = Object.entries(inputs).map(([name, value]) => [name, independentRows ? [value] : value]);
      return finish(tensorsFromMembers(Object.fromEntries(members), signature, ['inputs']));
    },
    decode: ({ outputs, model }) => tensorsValue(outputs, model.independentRows),
  };
}
