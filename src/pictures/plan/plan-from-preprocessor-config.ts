import { inputFaults, type PictureInput, readPictureShape } from './picture-input.ts';
import { PicturePlan } from './picture-plan.ts';
import type { Planned } from './planned.ts';
import { PreprocessorConfig, unknownWork } from './preprocessor-config.ts';
import { planGeometry } from './preprocessor-geometry.ts';
import { isStrangeKind, type PreprocessorKind, preprocessorKind } from './preprocessor-kinds.ts';

const fileName = 'preprocessor_config.json';

/**
 * The plan that a `preprocessor_config.json` of Hugging Face describes, in its old or new keys.
 *
 * @param config what the file has
 * @param input of the model, which tells the layout, and the size of what is padded
 */
export function planFromPreprocessorConfig(config: unknown, input: PictureInput): Planned {
  const parsed = PreprocessorConfig.safeParse(config);
  if (!parsed.success) {
    return { faults: parsed.error.issues.map(({ path, message }) => `${fileName}: ${path.join('.')}: ${message}`) };
  }
  const file = parsed.data;
  const type = file.image_processor_type ?? file.feature_extractor_type;
  const kind = preprocessorKind(type);
  const faults = unknownWork(file).map((key) => `${key}: this is not done here`);
  if (isStrangeKind(type)) faults.push(`image_processor_type: what ${type} does is not done here`);
  const geometry = planGeometry(file, kind, input, faults);
  const levels = planLevels(file, kind);
  if (faults.length > 0) return { faults: faults.map((fault) => `${fileName}: ${fault}`) };
  const isFlipped = file.do_flip_channel_order ?? kind?.flipsChannels ?? false;
  const layout = readPictureShape(input.shape)?.layout;
  const plan = PicturePlan.safeParse({ color: isFlipped ? 'BGR' : 'RGB', layout, ...geometry, ...levels });
  if (!plan.success) {
    return { faults: plan.error.issues.map(({ path, message }) => `${fileName}: as ${path.join('.')}: ${message}`) };
  }
  const misfits = inputFaults(plan.data, input);
  return misfits.length > 0 ? { faults: misfits.map((fault) => `${fileName}: ${fault}`) } : { plan: plan.data };
}

function planLevels(
  file: PreprocessorConfig,
  kind: PreprocessorKind | undefined,
): { scale?: number; mean?: readonly number[]; std?: readonly number[] } {
  const scale = (file.do_rescale ?? true) ? (file.rescale_factor ?? 1 / 255) : 1;
  const isNormalized = file.do_normalize ?? (kind === undefined ? file.image_mean != null : kind.normalizes !== false);
  const mean = isNormalized ? (file.image_mean ?? kind?.mean ?? [0, 0, 0]) : [0, 0, 0];
  const std = isNormalized ? (file.image_std ?? kind?.std ?? [1, 1, 1]) : [1, 1, 1];
  const isDividedTwice = isNormalized && kind?.dividesTwice === true && file.include_top !== false;
  return {
    scale,
    mean: file.rescale_offset === true ? mean.map((value) => value + 1) : mean,
    std: isDividedTwice ? std.map((value) => value * value) : std,
  };
}
