import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPictureDecoder } from '../../../src/domains/digits/decode-picture.ts';
import { normaliseDigit } from '../../../src/domains/digits/normalise-digit.ts';

const sharedData = process.env['SHARED_DATA'] ?? resolve(import.meta.dirname, '../../../../shared/data');
const folder = join(sharedData, 'odd_images');

/** What becomes of every file of the set: the size of its grey raster, or the code of the refusal. */
const outcomes: Record<string, string> = {
  'cmyk_no_profile.jpg': '256x170',
  'rgb16_transparent.png': '32x32',
  'grey16_alpha.png': '32x32',
  'grey.jpg': '256x171',
  'bilevel.png': '256x256',
  'grey_alpha.png': '256x192',
  'rgba.png': '200x150',
  'palette.png': '162x150',
  'fully_transparent.png': '256x256',
  'exif_orientation_6.jpg': '256x192',
  'exif_orientation_3.jpg': '192x256',
  'exif_orientation_6.webp': '128x128',
  'truncated.jpg': 'PICTURE_UNREADABLE',
  'corrupt_header.jpg': 'PICTURE_UNREADABLE',
  'broken_data_stream.png': 'PICTURE_UNREADABLE',
  // Only its last chunk is cut; every pixel is there.
  'truncated_end_chunk.png': '128x128',
  'broken_chunks.png': 'PICTURE_UNREADABLE',
  'junk_in_header.jpg': '256x192',
  'animated.gif': '80x80',
  'animated.webp': '80x80',
  'lossy.webp': '256x171',
  'alpha.webp': '200x150',
  'bomb_65536x65536.png': 'PICTURE_TOO_LARGE',
  'bomb.gif': 'PICTURE_TOO_LARGE',
  'big_icc_profile.jpg': '256x151',
  'tiny_2x2.png': '2x2',
  'small.tiff': 'UNSUPPORTED_MEDIA_TYPE',
  'cat.bmp': 'UNSUPPORTED_MEDIA_TYPE',
  'check.svg': 'UNSUPPORTED_MEDIA_TYPE',
  'picture.avif': 'UNSUPPORTED_MEDIA_TYPE',
  'png_named_as.jpg': '256x192',
  'empty.jpg': 'UNSUPPORTED_MEDIA_TYPE',
  'text_named_as.png': 'UNSUPPORTED_MEDIA_TYPE',
};

// The set is not part of the repository; decode-picture.test.ts makes a picture of each kind for machines without it.
describe.runIf(existsSync(folder))('the set of odd images', () => {
  const decodePicture = createPictureDecoder();

  it('has no file without an expected outcome', () => {
    const rows = readFileSync(join(folder, 'manifest.csv'), 'utf8').trim().split('\n').slice(1);
    const files = rows.map((row) => row.slice(0, row.indexOf(',')));
    expect(files.sort()).toEqual(Object.keys(outcomes).sort());
  });

  it.each(Object.entries(outcomes))('%s: %s, by less than a second of the processor', async (file, outcome) => {
    const bytes = readFileSync(join(folder, file));
    const before = process.cpuUsage();
    const seen = await decodePicture(bytes).then(
      (raster) => {
        expect(normaliseDigit(raster)).toHaveLength(784);
        return `${raster.width}x${raster.height}`;
      },
      (error) => error.code,
    );
    expect(seen).toBe(outcome);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(1_000);
  });
});
