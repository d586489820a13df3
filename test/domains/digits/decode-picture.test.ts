import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { createPictureDecoder } from '../../../src/domains/digits/decode-picture.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { defaultPictureLimits } from '../../../src/pictures/picture-limits.ts';

const decodePicture = createPictureDecoder();

/** White, 60 x 40, with its left half black. */
function halfBlack(width = 60, height = 40): Sharp {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, index) =>
    Math.floor(index / 3) % width < width / 2 ? 0 : 255,
  );
  return sharp(data, { raw: { width, height, channels: 3 } });
}

async function refusal(bytes: Uint8Array, limits = defaultPictureLimits): Promise<ErrorCode | 'decoded'> {
  return createPictureDecoder(limits)(bytes).then(
    () => 'decoded',
    (error) => error.code,
  );
}

function pngChunk(name: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

/** A tiny file that claims to be a 1-bit picture of this size. */
function pngClaiming(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  const data = deflateSync(Buffer.alloc(1_000));
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', data),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function gifClaiming(width: number, height: number, frameHeight: number): Buffer {
  const file = Buffer.from('474946383961000000000000002c00000000000000000002024401003b', 'hex');
  file.writeUInt16LE(width, 6);
  file.writeUInt16LE(height, 8);
  file.writeUInt16LE(width, 18);
  file.writeUInt16LE(frameHeight, 20);
  return file;
}

describe('createPictureDecoder: what it reads', () => {
  const decodable: Record<string, () => Promise<Buffer>> = {
    'RGB PNG': () => halfBlack().png().toBuffer(),
    'palette PNG': () => halfBlack().png({ palette: true }).toBuffer(),
    'interlaced PNG': () => halfBlack().png({ progressive: true }).toBuffer(),
    '16-bit PNG': () => halfBlack().toColourspace('rgb16').png().toBuffer(),
    'grey PNG': () => halfBlack().toColourspace('b-w').png().toBuffer(),
    '1-bit PNG': () => halfBlack().png({ palette: true, colours: 2 }).toBuffer(),
    JPEG: () => halfBlack().jpeg().toBuffer(),
    'progressive JPEG': () => halfBlack().jpeg({ progressive: true }).toBuffer(),
    'grey JPEG': () => halfBlack().toColourspace('b-w').jpeg().toBuffer(),
    'CMYK JPEG': () => halfBlack().toColourspace('cmyk').jpeg().toBuffer(),
    'lossy WebP': () => halfBlack().webp().toBuffer(),
    'lossless WebP': () => halfBlack().webp({ lossless: true }).toBuffer(),
    GIF: () => halfBlack().gif().toBuffer(),
    'JPEG of a camera held upside down': () => halfBlack().flop().jpeg().withMetadata({ orientation: 3 }).toBuffer(),
    'WebP of a camera held on its side': () =>
      halfBlack().rotate(270).webp().withMetadata({ orientation: 6 }).toBuffer(),
  };

  it.each(Object.entries(decodable))('%s', async (_, encode) => {
    const { width, height, data } = await decodePicture(await encode());
    expect([width, height]).toEqual([60, 40]);
    expect(data[20 * 60 + 5]).toBeLessThan(45);
    expect(data[20 * 60 + 55]).toBeGreaterThan(210);
  });

  it('takes the first frame of an animation', async () => {
    const frames = await Promise.all([halfBlack(), halfBlack().negate()].map((frame) => frame.png().toBuffer()));
    const animation = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer();
    const { width, height, data } = await decodePicture(animation);
    expect([width, height, data[0]]).toEqual([60, 40, 0]);
  });

  it('makes large pictures at most 256 pixels a side and leaves small ones', async () => {
    const large = await decodePicture(await halfBlack(1_200, 600).jpeg().toBuffer());
    expect([large.width, large.height]).toEqual([256, 128]);
    const small = await decodePicture(await halfBlack(2, 1).png().toBuffer());
    expect([small.width, small.height]).toEqual([2, 1]);
  });

  it('reads a wholly transparent picture as one plain grey', async () => {
    const background = { r: 9, g: 90, b: 200, alpha: 0 };
    const png = await sharp({ create: { width: 30, height: 30, channels: 4, background } })
      .png()
      .toBuffer();
    expect(new Set((await decodePicture(png)).data).size).toBe(1);
  });

  it('answers every one of many at once', async () => {
    const png = await halfBlack().png().toBuffer();
    const broken = png.subarray(0, 60);
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, index) => refusal(index % 3 === 0 ? broken : png)),
    );
    expect(results.filter((result) => result === 'decoded')).toHaveLength(26);
    const [rasters, refused] = await Promise.allSettled([decodePicture(png), decodePicture(broken)]);
    expect([rasters.status, refused.status]).toEqual(['fulfilled', 'rejected']);
  });
});

describe('createPictureDecoder: what it refuses', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
  const unsupported: Record<string, () => Promise<Uint8Array>> = {
    'no bytes': async () => new Uint8Array(),
    text: async () => Buffer.from('not a picture'),
    SVG: async () => Buffer.from(svg),
    BMP: async () => Buffer.from(`BM${'\0'.repeat(80)}`, 'latin1'),
    TIFF: () => halfBlack().tiff().toBuffer(),
    AVIF: () => halfBlack().avif({ effort: 0 }).toBuffer(),
  };
  it.each(Object.entries(unsupported))('%s is of no accepted format', async (_, make) => {
    expect(await refusal(await make())).toBe('UNSUPPORTED_MEDIA_TYPE');
  });

  const noise = () =>
    Buffer.from(Uint8Array.from({ length: 90_000 }, (_, index) => ((index * 2654435761) >>> 9) & 255));
  const noisy = () => sharp(noise(), { raw: { width: 300, height: 100, channels: 3 } });
  const cutFiles: Record<string, () => Promise<Buffer>> = {
    PNG: () => noisy().png().toBuffer(),
    JPEG: () => noisy().jpeg().toBuffer(),
    WebP: () => noisy().webp().toBuffer(),
    GIF: () => noisy().gif().toBuffer(),
  };
  describe.each(Object.entries(cutFiles))('a cut %s', (_, make) => {
    it.each([0.02, 0.1, 0.5, 0.8])('after %d of its bytes is unreadable', async (share) => {
      const file = await make();
      expect(await refusal(file.subarray(0, Math.max(14, file.length * share)))).toBe('PICTURE_UNREADABLE');
    });
  });

  it('a signature followed by junk is unreadable', async () => {
    const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(72, 0x5a)]);
    expect(await refusal(png)).toBe('PICTURE_UNREADABLE');
  });

  it.each([
    ['PNG', pngClaiming(65_536, 65_536)],
    ['PNG of the greatest size', pngClaiming(0x7fff_ffff, 0x7fff_ffff)],
    ['GIF', gifClaiming(65_535, 65_535, 65_535)],
    ['GIF whose frame is larger than its screen', gifClaiming(8_000, 10, 65_535)],
  ])('a small %s that claims gigapixels is too large', async (_, bomb) => {
    expect(bomb.length).toBeLessThan(200);
    expect(await refusal(bomb)).toBe('PICTURE_TOO_LARGE');
  });

  it('counts pixels and bytes against the limits it was given', async () => {
    const png = await halfBlack().png().toBuffer();
    const limits = { ...defaultPictureLimits, maxPixels: 60 * 40, maxBytes: png.length };
    expect(await refusal(png, limits)).toBe('decoded');
    expect(await refusal(png, { ...limits, maxPixels: 60 * 40 - 1 })).toBe('PICTURE_TOO_LARGE');
    expect(await refusal(png, { ...limits, maxBytes: png.length - 1 })).toBe('PICTURE_TOO_LARGE');
  });

  it.each<[string, () => Promise<Buffer>]>([
    ['interlaced PNG', () => halfBlack().png({ progressive: true }).toBuffer()],
    ['progressive JPEG', () => halfBlack().jpeg({ progressive: true }).toBuffer()],
    ['lossless WebP', () => halfBlack().webp({ lossless: true }).toBuffer()],
    ['WebP with alpha', () => halfBlack().ensureAlpha(0.5).webp().toBuffer()],
    ['GIF', () => halfBlack().gif().toBuffer()],
  ])('counts %s, which is held whole, against a limit of its own', async (_, encode) => {
    const limits = { ...defaultPictureLimits, maxHeldPixels: 60 * 40 };
    const file = await encode();
    expect(await refusal(file, limits)).toBe('decoded');
    expect(await refusal(file, { ...limits, maxHeldPixels: 60 * 40 - 1 })).toBe('PICTURE_TOO_LARGE');
  });
});

describe('a JPEG', () => {
  /** A frame of three components, and a first scan of some of them. */
  function jpegClaiming(width: number, height: number, scanComponents: number): Buffer {
    const frame = Buffer.from('ffc0001108000000000301220002110103110' + '1', 'hex');
    frame.writeUInt16BE(height, 5);
    frame.writeUInt16BE(width, 7);
    const comment = Buffer.from('fffe000400ff', 'hex');
    const components = Array.from({ length: scanComponents }, (_, index) => [index + 1, 0]).flat();
    const scan = Buffer.from([0xff, 0xda, 0, 6 + 2 * scanComponents, scanComponents, ...components, 0, 63, 0]);
    return Buffer.concat([Buffer.from('ffd8', 'hex'), frame, comment, scan, Buffer.from('00ffd9', 'hex')]);
  }

  it('of a scan for each component is held whole, and refused as such', async () => {
    expect(await refusal(jpegClaiming(5000, 5000, 1))).toBe('PICTURE_TOO_LARGE');
    expect(await refusal(jpegClaiming(5000, 5000, 2))).toBe('PICTURE_TOO_LARGE');
    expect(await refusal(jpegClaiming(5000, 5000, 3))).toBe('PICTURE_UNREADABLE');
    expect(await refusal(jpegClaiming(500, 500, 1))).toBe('PICTURE_UNREADABLE');
  });
});
