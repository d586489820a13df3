import type { PictureFormat } from './picture-format.ts';

/** What a picture says of itself before anything is decoded. */
export interface PictureHeader {
  readonly width: number;
  readonly height: number;
  /** The decoder cannot stream it row by row: it holds every pixel of it in memory at once. */
  readonly heldWhole: boolean;
}

/**
 * Reads the size of a picture from its header, so that a picture too large is refused before a decoder sees it.
 * Undefined if the header is cut, broken or names an empty picture.
 */
export function readPictureHeader(bytes: Uint8Array, format: PictureFormat): PictureHeader | undefined {
  try {
    const header = readers[format](new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return header && header.width > 0 && header.height > 0 ? header : undefined;
  } catch (error) {
    // A read past the end: the header is cut.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const readers: Record<PictureFormat, (view: DataView) => PictureHeader | undefined> = {
  png: readPngHeader,
  jpeg: readJpegHeader,
  webp: readWebpHeader,
  gif: readGifHeader,
};

/** PNG specification (third edition), 11.2.1: IHDR is the first chunk. */
function readPngHeader(view: DataView): PictureHeader | undefined {
  if (view.getUint32(12) !== chunkName('IHDR')) return undefined;
  return { width: view.getUint32(16), height: view.getUint32(20), heldWhole: view.getUint8(28) !== 0 };
}

/**
 * ITU-T T.81, B.2: segments of marker and length up to the first start of scan. A scan of fewer components than the frame
 * has is not the only one, and decoders hold what is not complete before the last.
 */
function readJpegHeader(view: DataView): PictureHeader | undefined {
  let offset = 2;
  let frame: (PictureHeader & { readonly components: number }) | undefined;
  for (;;) {
    // Decoders pass over junk and fill bytes between segments, so do we.
    while (view.getUint8(offset) !== 0xff) offset++;
    while (view.getUint8(offset) === 0xff) offset++;
    const marker = view.getUint8(offset++);
    if (marker === 0xd9) return undefined;
    if (marker === 0xda) {
      if (frame === undefined) return undefined;
      const { width, height, heldWhole, components } = frame;
      return { width, height, heldWhole: heldWhole || view.getUint8(offset + 2) < components };
    }
    if (isStandaloneMarker(marker)) continue;
    if (isStartOfFrame(marker)) {
      frame ??= {
        height: view.getUint16(offset + 3),
        width: view.getUint16(offset + 5),
        components: view.getUint8(offset + 7),
        // Progressive.
        heldWhole: (marker & 0x03) === 0x02,
      };
    }
    offset += view.getUint16(offset);
  }
}

function isStandaloneMarker(marker: number): boolean {
  return marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

function isStartOfFrame(marker: number): boolean {
  const isTable = marker === 0xc4 || marker === 0xc8 || marker === 0xcc;
  return marker >= 0xc0 && marker <= 0xcf && !isTable;
}

/** WebP container specification (RFC 9649, 2.5–2.7) and the frame headers of VP8 (RFC 6386, 9.1) and VP8L. */
function readWebpHeader(view: DataView): PictureHeader | undefined {
  switch (view.getUint32(12)) {
    case chunkName('VP8 '):
      return {
        width: view.getUint16(26, true) & 0x3fff,
        height: view.getUint16(28, true) & 0x3fff,
        heldWhole: false,
      };
    case chunkName('VP8L'): {
      const sizes = view.getUint32(21, true);
      return { width: 1 + (sizes & 0x3fff), height: 1 + ((sizes >>> 14) & 0x3fff), heldWhole: true };
    }
    case chunkName('VP8X'):
      return { width: 1 + getUint24(view, 24), height: 1 + getUint24(view, 27), heldWhole: true };
    default:
      return undefined;
  }
}

function getUint24(view: DataView, offset: number): number {
  return view.getUint16(offset, true) | (view.getUint8(offset + 2) << 16);
}

/** GIF89a, 18–24. A frame may reach beyond the screen that the file names; decoders then widen the screen. */
function readGifHeader(view: DataView): PictureHeader {
  const screen = { width: view.getUint16(6, true), height: view.getUint16(8, true), heldWhole: true };
  let offset = 13 + colourTableBytes(view.getUint8(10));
  while (view.getUint8(offset) === 0x21) {
    offset += 2;
    while (view.getUint8(offset) !== 0) offset += 1 + view.getUint8(offset);
    offset++;
  }
  if (view.getUint8(offset) !== 0x2c) return screen;
  return {
    width: Math.max(screen.width, view.getUint16(offset + 1, true) + view.getUint16(offset + 5, true)),
    height: Math.max(screen.height, view.getUint16(offset + 3, true) + view.getUint16(offset + 7, true)),
    heldWhole: true,
  };
}

function colourTableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 0x07) + 1);
}

function chunkName(name: string): number {
  return [...name].reduce((code, letter) => code * 256 + letter.charCodeAt(0), 0);
}
