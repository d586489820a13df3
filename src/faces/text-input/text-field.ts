import { z } from 'zod';

/** A text of a request, as it comes: nothing of it is trimmed. */
export function textField(maxBytes: number): z.ZodType<string, string> {
  return z
    .string()
    .refine((text) => Buffer.byteLength(text) <= maxBytes, `Expected at most ${maxBytes} bytes of UTF-8`)
    .meta({ description: `At most ${maxBytes} bytes of UTF-8` });
}
