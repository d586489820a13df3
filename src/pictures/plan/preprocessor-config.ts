import { z } from 'zod';

const side = z.int().min(1);
const edges = z.strictObject({
  shortest_edge: side.nullish(),
  longest_edge: side.nullish(),
  height: side.nullish(),
  width: side.nullish(),
  max_height: side.nullish(),
  max_width: side.nullish(),
});

/** One number for all channels, or one for each. */
const levels = z.union([z.number().transform((value) => [value, value, value]), z.array(z.number()).length(3)]);

/** What a `preprocessor_config.json` may say of pixels. Other keys are left alone, but for those that ask for more work. */
export const PreprocessorConfig = z.looseObject({
  image_processor_type: z.string().nullish(),
  feature_extractor_type: z.string().nullish(),
  do_resize: z.boolean().nullish(),
  size: z.union([side, z.tuple([side, side]), edges]).nullish(),
  max_size: side.nullish(),
  size_divisor: side.nullish(),
  resample: z.int().min(0).max(5).nullish(),
  crop_pct: z.number().positive().max(1).nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: z.union([side, edges]).nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().nullish(),
  rescale_offset: z.boolean().nullish(),
  do_normalize: z.boolean().nullish(),
  include_top: z.boolean().nullish(),
  image_mean: levels.nullish(),
  image_std: levels.nullish(),
  do_flip_channel_order: z.boolean().nullish(),
  do_pad: z.boolean().nullish(),
  pad_size: edges.nullish(),
});

export type PreprocessorConfig = z.output<typeof PreprocessorConfig>;

/** What changes no pixel of a classifier or a detector. */
const harmless = new Set(['do_convert_rgb', 'do_reduce_labels', 'do_convert_annotations', 'do_normalize_annotations']);

/** The keys that ask for something that is not done here. */
export function unknownWork(config: PreprocessorConfig): string[] {
  return Object.entries(config)
    .filter(([key, value]) => (key.startsWith('do_') || key === 'keep_aspect_ratio') && value === true)
    .map(([key]) => key)
    .filter((key) => !harmless.has(key) && !Object.hasOwn(PreprocessorConfig.shape, key));
}
