import type { Sharp, SharpOptions } from 'sharp';

/** A picture that sharp is to read, with what is to be done to it. */
export type Pipeline = Sharp;

/** Begins to read a picture. */
export type OpenPicture = (bytes: Uint8Array, options: SharpOptions) => Pipeline;

/**
 * Loads sharp, which takes 15 MB: with the first picture, which waits 50 ms for it. No cache, and one thread a picture. No
 * other file imports it.
 */
export async function loadSharp(): Promise<OpenPicture> {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  sharp.concurrency(1);
  return sharp;
}
