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

/**
 * How the pixels of a picture become the input of a model: `face.image` of `model.json`. The order is: decode, resize,
 * crop, `(x * scale - mean) / std`, pad.
 */
export const PicturePlan = z.strictObject({
  color: z.enum(['RGB', 'BGR']).default('RGB').describe('Order of the channels in the tensor'),
  layout: z
    .enum(['NCHW', 'NHWC'])
    .default('NCHW')
    .describe('Where the tensor has its channels: before or after the pixels'),
  scale: z.number().positive().default(1).describe('What the levels 0 to 255 are multiplied by, first'),
  mean: triple.default([0, 0, 0]).describe('What is then subtracted, in the order red, green, blue'),
  std: triple
    .refine((values) => values.every((value) => value !== 0), 'Expected no zero')
    .default([1, 1, 1])
    .describe('What the difference is divided by, in the order red, green, blue'),
  resize: PictureResize.optional().describe('Left out, the picture keeps its size'),
  crop: size.optional().describe('The middle of the resized picture; one that is smaller gets zeros around it'),
  cropOffset: z
    .enum(['floor', 'half-even'])
    .default('floor')
    .describe('How half a pixel beside the crop is rounded: down, or to the even number as torchvision does'),
  pad: size.optional().describe('Zeros are put to the right and below, after normalising, up to this height and width'),
  exact: z
    .boolean()
    .default(true)
    .describe('Whether pixels equal those of the filter bit for bit; otherwise they are near them, four times as fast'),
  alpha: z
    .union([z.literal('drop'), z.string().regex(/^#[0-9a-fA-F]{6}$/)])
    .default('drop')
    .describe('Whether transparency is ignored, or the picture laid on a colour, `#rrggbb`'),
  icc: z
    .enum(['ignore', 'convert'])
    .default('ignore')
    .describe('Whether the colour profile of the picture is ignored, or its colours converted to sRGB'),
  limits: z
    .strictObject({
      maxBytes: whole.describe('Most bytes of a picture'),
      maxPixels: whole.describe('Most pixels of a picture'),
      maxHeldPixels: whole.describe('Most pixels of a picture that a decoder must hold whole'),
      timeoutSeconds: whole.describe('Longest time to decode one, in seconds'),
    })
    .partial()
    .default({})
    .describe('Limits below those of the server'),
});

export type PicturePlan = z.output<typeof PicturePlan>;
