import type { z } from 'zod';
import { AppError } from '../errors.ts';
import type { PictureLimits } from '../pictures/picture-limits.ts';
import { type PictureDatatype, pictureTensor } from '../pictures/picture-tensor.ts';
import type { PictureFilter, PictureResize } from '../pictures/plan/picture-plan.ts';
import type { RgbRaster } from '../pictures/raster.ts';
import { type Tensor, tensorOver } from '../tensor/tensor.ts';

/** An 8-bit picture of the interleaved channels red, green and blue, row by row from the top left: `width * height * 3` bytes. */
export type RgbPicture = RgbRaster;

export interface DecodeOptions {
  /** What becomes of transparency: it is ignored, or the picture laid on a colour, `#rrggbb`. @default 'drop' */
  readonly alpha?: string;
  /** Whether its colour profile is ignored, or its colours converted to sRGB. @default 'ignore' */
  readonly icc?: 'ignore' | 'convert';
  /** Lower limits than 20,000,000 bytes, 50,000,000 pixels, 16,000,000 where a decoder holds all of them, and 1 s. */
  readonly limits?: Partial<PictureLimits>;
  /** Gives the picture up before its turn comes. */
  readonly signal?: AbortSignal;
}

/** The size of a resized picture in pixels, as `resize` in `face.image` of `model.json` has it. */
export type ResizeOptions = Exclude<z.input<typeof PictureResize>, { letterbox: unknown }> & {
  /** Height and width of the middle that is taken of it; a picture that is smaller gets black around it. @default all of it */
  readonly crop?: readonly [height: number, width: number];
  readonly signal?: AbortSignal;
};

export interface LetterboxOptions {
  /** In pixels. */
  readonly height: number;
  readonly width: number;
  /** Level of the pixels beside the picture, 0 to 255. @default 114 */
  readonly fill?: number;
  /** Where the picture lies: in the middle, or top left. @default 'center' */
  readonly align?: 'center' | 'corner';
  /** @default 'cv-linear' */
  readonly filter?: PictureFilter;
  readonly signal?: AbortSignal;
}

export interface Letterboxed {
  readonly picture: RgbPicture;
  /** Pixels that one pixel of the picture before makes: `x` there is `(x - left) / gain` of what lies at `x` here. */
  readonly gain: number;
  /** Where the picture begins in the letterbox, in pixels. */
  readonly left: number;
  readonly top: number;
}

export interface ToTensorOptions {
  /** FP32, FP16, or UINT8, which takes the levels as they are. @default 'FP32' */
  readonly datatype?: PictureDatatype;
  /** @default 'NCHW' */
  readonly layout?: 'NCHW' | 'NHWC';
  /** Order of the channels in the tensor. @default 'RGB' */
  readonly color?: 'RGB' | 'BGR';
  /** What levels of 0 to 255 are multiplied by, first. @default 1/255; 1 for UINT8 */
  readonly scale?: number;
  /** What is then subtracted, in the order red, green, blue. @default 0 */
  readonly mean?: readonly [number, number, number];
  /** What the difference is divided by, in the order red, green, blue. @default 1 */
  readonly std?: readonly [number, number, number];
}

/** Pixels of pictures as faces without code make them. Nothing is loaded or started before the first picture. */
export interface Pictures {
  /**
   * Decodes a PNG, JPEG, WebP or GIF (first frame) to RGB as Pillow does, turned as its EXIF orientation says; at most two
   * at a time, beside the event loop.
   *
   * @throws AppError `UNSUPPORTED_MEDIA_TYPE` for anything else, whatever its name; `PICTURE_TOO_LARGE`;
   *   `PICTURE_UNREADABLE`; the reason of the signal
   */
  decode(bytes: Uint8Array, options?: DecodeOptions): Promise<RgbPicture>;
  /**
   * Resizes as Pillow, or OpenCV by the filter `cv-linear`, does, bit for bit; on threads of its own.
   *
   * @throws AppError `PICTURE_TOO_LARGE` for a result of more than 16,777,216 pixels; `INTERNAL` that names what is at fault
   *   with the options; the reason of the signal
   */
  resize(picture: RgbPicture, options: ResizeOptions): Promise<RgbPicture>;
  /**
   * Fits a picture into a height and width, and fills the rest, as Ultralytics does.
   *
   * @throws what {@link Pictures.resize} throws
   */
  letterbox(picture: RgbPicture, options: LetterboxOptions): Promise<Letterboxed>;
  /**
   * One tensor of pictures of one size, `[pictures, 3, height, width]` or `[pictures, height, width, 3]`:
   * `(level * scale - mean) / std`, each step in FP32.
   *
   * @throws AppError `VALIDATION_FAILED` that names the pictures that are of another size than the first
   */
  toTensor(pictures: RgbPicture | readonly RgbPicture[], options?: ToTensorOptions): Tensor;
}

/** @param threads most threads on which pictures are resized. @default half the cores, at least 1 */
export function createPictures(threads?: number): Pictures {
  let opening: Promise<OpenedPictures> | undefined;
  const open = () => {
    opening ??= import('./opened-pictures.ts').then(({ OpenedPictures }) => new OpenedPictures(threads));
    return opening;
  };
  return {
    decode: async (bytes, { signal, ...settings } = {}) => (await open()).decode(bytes, settings, signal),
    resize: async (picture, { signal, crop, ...resize }) => {
      const { elements, frame } = await (await open()).frame(picture, { resize, crop }, signal);
      return rasterOf(elements, frame.canvas);
    },
    letterbox: async (picture, { signal, height, width, ...options }) => {
      const resize = { letterbox: [height, width], ...options };
      const { elements, frame } = await (await open()).frame(picture, { resize }, signal);
      return {
        picture: rasterOf(elements, frame.canvas),
        gain: frame.gain.x,
        left: 0 - frame.taken.left,
        top: 0 - frame.taken.top,
      };
    },
    toTensor,
  };
}

type OpenedPictures = InstanceType<typeof import('./opened-pictures.ts')['OpenedPictures']>;

function rasterOf(data: Uint8Array, { width, height }: Pick<RgbPicture, 'width' | 'height'>): RgbPicture {
  return { width, height, channels: 3, data };
}

function toTensor(pictures: RgbPicture | readonly RgbPicture[], options: ToTensorOptions = {}): Tensor {
  const list = 'data' in pictures ? [pictures] : pictures;
  const { datatype = 'FP32', layout = 'NCHW', color = 'RGB', mean = [0, 0, 0], std = [1, 1, 1] } = options;
  const { scale = datatype === 'UINT8' ? 1 : 1 / 255 } = options;
  const { width, height } = list[0] ?? { width: 0, height: 0 };
  refuseUnlike(list);
  const size = { width, height };
  const whole = { left: 0, top: 0, ...size };
  const frame = { shown: size, resized: size, taken: whole, canvas: size, fill: 0, gain: { x: 1, y: 1 } };
  const parts = list.map(({ data }) => pictureTensor(data, frame, { layout, color, scale, mean, std }, datatype));
  const bytes = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const { buffer, byteLength } of parts) {
    bytes.set(new Uint8Array(buffer), at);
    at += byteLength;
  }
  const inner = layout === 'NCHW' ? [3, height, width] : [height, width, 3];
  return tensorOver(datatype, [list.length, ...inner], bytes);
}

function refuseUnlike(pictures: readonly RgbPicture[]): void {
  const [first] = pictures;
  const faults = pictures.flatMap(({ width, height }, index) =>
    width === first?.width && height === first.height
      ? []
      : [
          {
            location: [index],
            type: 'unlike_size',
            message: `The picture has ${width} x ${height} pixels, the first one ${first?.width} x ${first?.height}`,
          },
        ],
  );
  const [fault] = faults;
  if (fault !== undefined) throw new AppError('VALIDATION_FAILED', { message: fault.message, faults });
}
