import { z } from 'zod';

const pixels = z.int().min(1).max(16_384);

const size = z.tuple([pixels, pixels]).describe('Height and width in pixels');

const triple = z.tuple([z.number(), z.number(), z.number()]);

export const pictureFilters = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos', 'cv-linear'] as const;

/** How pixels are made of pixels: Pillow's filters by their names, and OpenCV's INTER_LINEAR, which does not antialias. */
export type PictureFilter = (typeof pictureFilters)[number];

const filter = z
  .enum(pictureFilters)
  .describe('The filter of Pillow with this name; `cv-linear` is INTER_LINEAR of OpenCV');

/** How large a picture is made, and how. Which keys there are says the rule. */
export const PictureResize = z.union([
  z.strictObject({
    shortest: pixels.describe('The shorter side in pixels; the other keeps the proportions, rounded down'),
    longest: pixels
      .optional()
      .describe('Where the longer side would have more pixels, it gets these, and the shorter fewer'),
    divisor: pixels.optional().describe('Both sides are made multiples of this, downwards'),
    filter: filter.default('bilinear'),
  }),
  z.strictObject({ height: pixels, width: pixels, filter: filter.default('bilinear') }),
  z.strictObject({
    within: size.describe('The greatest size of the same proportions that this height and width hold'),
    filter: filter.default('bilinear'),
  }),
  z.strictObject({
    divisor: pixels.describe('Both sides are made multiples of this, downwards'),
    filter: filter.default('bilinear'),
  }),
  z.strictObject({
    letterbox: size.describe('The picture is fitted into this height and width, and the rest is filled'),
    fill: z.int().min(0).max(255).default(114).describe('Level of the pixels beside the picture'),
    align: z
      .enum(['center', 'corner'])
      .default('center')
      .describe('Where the picture lies: in the middle, or top left'),
    filter: filter.default('cv-linear'),
  }),
]);
export type PictureResize = z.output<typeof PictureResize>;

const whole = z.int().min(1);

const keys = {
  color: z.enum(['RGB', 'BGR']).describe('Order of the channels in the tensor'),
  layout: z.enum(['NCHW', 'NHWC']).describe('Where the tensor has its channels: before or after the pixels'),
  scale: z.number().positive().describe('What the levels 0 to 255 are multiplied by, first'),
  mean: triple.describe('What is then subtracted, in the order red, green, blue'),
  std: triple
    .refine((values) => values.every((value) => value !== 0), 'Expected no zero')
    .describe('What the difference is divided by, in the order red, green, blue'),
  resize: PictureResize.describe('The size that a picture is given'),
  crop: size.describe('The middle of the resized picture; one that is smaller gets zeros around it'),
  cropOffset: z
    .enum(['floor', 'half-even'])
    .describe('How half a pixel beside the crop is rounded: down, or to the even number as torchvision does'),
  pad: size.describe('Zeros are put to the right and below, after normalising, up to this height and width'),
  exact: z
    .boolean()
    .describe('Whether pixels equal those of the filter bit for bit; otherwise they are near them, in less time'),
  alpha: z
    .union([z.literal('drop'), z.string().regex(/^#[0-9a-fA-F]{6}$/)])
    .describe('Whether transparency is ignored, or the picture laid on a colour, `#rrggbb`'),
  icc: z
    .enum(['ignore', 'convert'])
    .describe('Whether the colour profile of the picture is ignored, or its colours converted to sRGB'),
  limits: z
    .strictObject({
      maxBytes: whole.describe('Most bytes of a picture'),
      maxPixels: whole.describe('Most pixels of a picture'),
      maxHeldPixels: whole.describe('Most pixels of a picture that a decoder must hold whole'),
      timeoutSeconds: whole.describe('Longest time to decode one, in seconds'),
    })
    .partial()
    .describe('Limits below those of the server'),
};

/**
 * `face.image` of `model.json`: how the pixels of a picture become the input of a model, as far as the files beside the
 * graph do not say it, or say it wrongly. null takes away what they say.
 */
export const PictureSettings = z
  .strictObject({
    ...keys,
    resize: keys.resize.nullable().describe('The size that a picture is given; null: its own'),
    crop: keys.crop.nullable(),
    pad: keys.pad.nullable(),
  })
  .partial();
export type PictureSettings = z.output<typeof PictureSettings>;

/**
 * How the pixels of a picture become the input of a model. The order is: decode, resize, crop, `(x * scale - mean) / std`,
 * pad.
 */
export const PicturePlan = z.strictObject({
  color: keys.color.default('RGB'),
  layout: keys.layout.default('NCHW'),
  scale: keys.scale.default(1),
  mean: keys.mean.default([0, 0, 0]),
  std: keys.std.default([1, 1, 1]),
  resize: keys.resize.optional(),
  crop: keys.crop.optional(),
  cropOffset: keys.cropOffset.default('floor'),
  pad: keys.pad.optional(),
  exact: keys.exact.default(true),
  alpha: keys.alpha.default('drop'),
  icc: keys.icc.default('ignore'),
  limits: keys.limits.default({}),
});
export type PicturePlan = z.output<typeof PicturePlan>;

/** The plan that was found, if one was, with what the settings say in its place, key by key. */
export function planWithSettings(found: PicturePlan | undefined, settings: PictureSettings): PicturePlan {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const merged = Object.entries({ ...found, ...Object.fromEntries(given) });
  return PicturePlan.parse(Object.fromEntries(merged.filter(([, value]) => value !== null)));
}
