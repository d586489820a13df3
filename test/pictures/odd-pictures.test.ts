import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../src/pictures/decode-picture.ts';
import { defaultPictureLimits } from '../../src/pictures/picture-limits.ts';
import { PicturePlan } from '../../src/pictures/plan/picture-plan.ts';
import { readPicture } from '../../src/pictures/read-picture.ts';
import { loadSharp } from '../../src/pictures/sharp.ts';

const sharedData = process.env['SHARED_DATA'] ?? resolve(import.meta.dirname, '../../../shared/data');
const folder = join(sharedData, 'odd_images');

/**
 * What becomes of every picture: its size with the first digits of the SHA-256 of its pixels, which Pillow 13 gave after
 * `exif_transpose` and `convert("RGB")`, or the code of the refusal.
 */
const outcomes: Record<string, string> = {
  'alpha.webp': '200x150 fb3662e091724731',
  'animated.gif': '80x80 460507ddff21d726',
  'animated.webp': '80x80 dfc627315b1a2e46',
  'big_icc_profile.jpg': '425x250 9a2762fe8da03fe7',
  'bilevel.png': '500x500 ef89bb998892e668',
  'bomb.gif': 'PICTURE_TOO_LARGE',
  'bomb_65536x65536.png': 'PICTURE_TOO_LARGE',
  'broken_chunks.png': 'PICTURE_UNREADABLE',
  'broken_data_stream.png': 'PICTURE_UNREADABLE',
  'cat.bmp': 'UNSUPPORTED_MEDIA_TYPE',
  'check.svg': 'UNSUPPORTED_MEDIA_TYPE',
  'corrupt_header.jpg': 'PICTURE_UNREADABLE',
  'empty.jpg': 'UNSUPPORTED_MEDIA_TYPE',
  'exif_orientation_3.jpg': '450x600 098002e256b66d89',
  'exif_orientation_6.jpg': '600x450 ef0550ad3269960d',
  'exif_orientation_6.webp': '128x128 26fd641f5ea8aae6',
  'fully_transparent.png': '300x300 2112b12f3098e9bd',
  'grey.jpg': '400x267 74f8566b8a59269f',
  'grey16_alpha.png': '32x32 49cb0fced4469a89',
  'grey_alpha.png': '400x300 90540ea0b87c372e',
  'junk_in_header.jpg': '1024x768 c65b2f96bfb5ca96',
  'lossy.webp': '550x368 56fab83c5f0cb835',
  'palette.png': '162x150 18e7a454376a4261',
  'picture.avif': 'UNSUPPORTED_MEDIA_TYPE',
  'png_named_as.jpg': '256x192 b131b5c9b6a84dcb',
  'rgb16_transparent.png': '32x32 ebefb12e340b9af9',
  'rgba.png': '200x150 cc44f0ac99d5fa17',
  'small.tiff': 'UNSUPPORTED_MEDIA_TYPE',
  'text_named_as.png': 'UNSUPPORTED_MEDIA_TYPE',
  'tiny_2x2.png': '2x2 728f86ec99292f99',
  'truncated.jpg': 'PICTURE_UNREADABLE',
  // Only its last chunk is cut; every pixel is there. Pillow refuses it.
  'truncated_end_chunk.png': '128x128 87ce2dc3eea0549d',
  // Ours: Pillow has no profile for CMYK.
  'cmyk_no_profile.jpg': '500x333 26848ac9d48fb3b3',
};

// The set is not part of the repository; pixels.test.ts has a picture of each kind for machines without it.
describe.runIf(existsSync(folder))('the set of odd pictures', () => {
  const plan = PicturePlan.parse({});

  it('has no file without an expected outcome', () => {
    const rows = readFileSync(join(folder, 'manifest.csv'), 'utf8').trim().split('\n').slice(1);
    expect(rows.map((row) => row.slice(0, row.indexOf(','))).sort()).toEqual(Object.keys(outcomes).sort());
  });

  it.each(Object.entries(outcomes))('%s: %s', async (file, outcome) => {
    const bytes = readFileSync(join(folder, file));
    const open = await loadSharp();
    const decoding = decodePicture(readPicture.bind(null, open), bytes, plan, defaultPictureLimits);
    const seen = await decoding.then(
      ({ raster: { width, height, data } }) =>
        `${width}x${height} ${createHash('sha256').update(data).digest('hex').slice(0, 16)}`,
      (error) => error.code,
    );
    expect(seen).toBe(outcome);
  });
});
