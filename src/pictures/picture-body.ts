import { z } from 'zod';
import { defaultPictureLimits } from './picture-limits.ts';

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** Room for a picture above the limit of bytes, so that it is refused as too large and not as bad text. */
const maxBase64Length = Math.ceil(defaultPictureLimits.maxBytes / 3) * 8;
/** RFC 2397, as browsers write what was read of a file. */
const dataUrl = /^data:[a-zA-Z0-9.+-]+\/[a-zA-Z0-9.+-]+;base64,/;

/** A picture in JSON. */
export const Picture = z.strictObject({
  image: z
    .string()
    .max(maxBase64Length)
    .transform((text) => text.replace(dataUrl, ''))
    .refine((text) => text.length % 4 === 0 && base64.test(text), 'Expected base64 (RFC 4648, with padding)')
    .meta({
      contentEncoding: 'base64',
      description: 'A PNG, JPEG, WebP or GIF file (first frame) in base64, or a data: URL',
    })
    .transform((text): Uint8Array => Buffer.from(text, 'base64')),
});
export type Picture = z.output<typeof Picture>;
