/** An 8-bit picture of 3 (RGB) or 4 (RGBA, not premultiplied) interleaved channels, row by row from the top left. */
export interface ColourRaster {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  readonly data: Uint8Array;
}

/** One without alpha. */
export interface RgbRaster extends ColourRaster {
  readonly channels: 3;
}

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}
