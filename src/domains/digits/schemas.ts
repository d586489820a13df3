import { z } from 'zod';
import { defaultPictureLimits } from '../../pictures/picture-limits.ts';

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** Room for a picture above the limit of bytes, so that it is refused as too large and not as bad text. */
const maxBase64Length = Math.ceil(defaultPictureLimits.maxBytes / 3) * 8;

export const Picture = z.strictObject({
  image: z
    .string()
    .max(maxBase64Length)
    .refine((text) => text.length % 4 === 0 && base64.test(text), 'Expected base64 (RFC 4648, with padding)')
    .meta({ contentEncoding: 'base64', description: 'A PNG, JPEG, WebP or GIF file (first frame) in base64' })
    .transform((text): Uint8Array => Buffer.from(text, 'base64')),
});

const probability = z.number().min(0).max(1);

export const Recognition = z.object({
  digit: z.int().min(0).max(9).describe('The most probable digit'),
  probabilities: z
    .object({
      0: probability,
      1: probability,
      2: probability,
      3: probability,
      4: probability,
      5: probability,
      6: probability,
      7: probability,
      8: probability,
      9: probability,
    })
    .describe('Probability of each digit'),
});

export type Picture = z.output<typeof Picture>;
export type Recognition = z.output<typeof Recognition>;
