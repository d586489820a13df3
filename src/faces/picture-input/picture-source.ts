import type { PictureDatatype } from '../../pictures/picture-tensor.ts';
import { inputFaults, isPictureDatatype, readPictureShape } from '../../pictures/plan/picture-input.ts';
import { type PicturePlan, type PictureSettings, planWithSettings } from '../../pictures/plan/picture-plan.ts';
import { planFromPreprocessorConfig } from '../../pictures/plan/plan-from-preprocessor-config.ts';
import { planFromUltralytics } from '../../pictures/plan/plan-from-ultralytics.ts';
import type { Planned } from '../../pictures/plan/planned.ts';
import type { Signature, TensorSpec } from '../../tensor/tensor.ts';
import type { Companions } from '../companions.ts';
import { invalidFace, refuseFaults } from '../face-faults.ts';

/** How pictures become an input of a model. */
export interface PictureSource {
  readonly input: string;
  readonly datatype: PictureDatatype;
  readonly plan: PicturePlan;
  /** The input that says which pixels are of the picture and which beside it, where the model has one. */
  readonly mask: TensorSpec | undefined;
}

export interface PictureSourceFacts {
  readonly signature: Signature;
  readonly companions: Companions;
  readonly metadata: ReadonlyMap<string, string>;
  readonly settings: { readonly input?: string; readonly image?: PictureSettings } | undefined;
}

const preprocessor = 'preprocessor_config.json';
const maskInput = 'pixel_mask';

/**
 * Finds out how a model takes pictures, by the files beside it, its metadata and its settings.
 *
 * @throws AppError `FACE_INVALID` with every fault
 */
export async function readPictureSource(facts: PictureSourceFacts): Promise<PictureSource> {
  const { signature, settings } = facts;
  const mask = signature.inputs.find(({ name }) => name === maskInput);
  const input = pictureInput(signature, settings?.input);
  const others = signature.inputs.filter((candidate) => candidate !== input && candidate !== mask);
  refuseFaults(others.map(({ name }) => `the model needs the input ${name}, which pictures do not have`));
  const found = await plannedByFiles(facts, input);
  const image = settings?.image ?? {};
  if (found?.faults !== undefined && settings?.image === undefined) throw invalidFace(found.faults);
  const plan = planWithSettings(found?.plan ?? defaultPlan(input), image);
  const faults = inputFaults(plan, input);
  const { name, datatype } = input;
  refuseFaults(faults.map((fault) => `face.image: ${fault}`));
  if (!isPictureDatatype(datatype)) throw invalidFace([`the input ${name} is ${datatype}`]);
  return { input: name, datatype, plan, mask };
}

/** The input for pixels, by name or as the only one of four dimensions. */
function pictureInput({ inputs }: Signature, name: string | undefined): TensorSpec {
  const found = inputs.find((input) =>
    name === undefined ? readPictureShape(input.shape) !== undefined : input.name === name,
  );
  if (found !== undefined) return found;
  const names = inputs.map((input) => `${input.name} [${input.shape.join(',')}]`).join(', ');
  throw invalidFace([
    name === undefined
      ? `no input takes pictures of 3 channels: ${names}`
      : `face.input: the model has no input ${JSON.stringify(name)}, but ${names}`,
  ]);
}

async function plannedByFiles(
  { companions, metadata }: PictureSourceFacts,
  input: TensorSpec,
): Promise<Planned | undefined> {
  const config = await companions.json(preprocessor);
  if (config !== undefined) return planFromPreprocessorConfig(config, input);
  return metadata.has('task') || metadata.has('imgsz') || metadata.has('names')
    ? planFromUltralytics(Object.fromEntries(metadata), input)
    : undefined;
}

/** Levels as they are, in the layout of the input: everything else is for the settings to say. */
function defaultPlan(input: TensorSpec): PicturePlan {
  return planWithSettings(undefined, { layout: readPictureShape(input.shape)?.layout ?? 'NCHW' });
}
