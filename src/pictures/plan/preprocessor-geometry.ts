import { type PictureInput, readPictureShape } from './picture-input.ts';
import type { PictureFilter, PictureResize } from './picture-plan.ts';
import type { PreprocessorConfig } from './preprocessor-config.ts';
import type { PreprocessorKind } from './preprocessor-kinds.ts';

/** By Pillow's numbers. */
const filters = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const satisfies PictureFilter[];

/** What of a plan makes the size of a picture. */
export interface PlannedGeometry {
  readonly resize?: PictureResize;
  readonly crop?: [number, number];
  readonly pad?: [number, number];
}

/**
 * The size, the crop and the padding that a file asks for, or its kind where the file is silent.
 *
 * @param faults gets what cannot be done
 */
export function planGeometry(
  file: PreprocessorConfig,
  kind: PreprocessorKind | undefined,
  input: PictureInput,
  faults: string[],
): PlannedGeometry {
  const filter = filters[file.resample ?? kind?.resample ?? 2] ?? 'bilinear';
  const cropSize = planCrop(file, kind, faults);
  const pad = planPad(file, kind, input);
  const resized = (file.do_resize ?? true) ? planResize(file, kind, filter, faults) : {};
  return { ...(cropSize !== undefined && { crop: cropSize }), ...resized, ...(pad !== undefined && { pad }) };
}

type Edges = Exclude<PreprocessorConfig['size'], number | [number, number] | null | undefined>;

function planResize(
  file: PreprocessorConfig,
  kind: PreprocessorKind | undefined,
  filter: PictureFilter,
  faults: string[],
): PlannedGeometry {
  const size = sizeEdges(file, kind, faults);
  const divisor = file.size_divisor ?? kind?.divisor;
  if (size === undefined) {
    if (divisor !== undefined) return { resize: { divisor, filter } };
    if (faults.length === 0) faults.push('size: it is missing');
    return {};
  }
  const cropPct = file.crop_pct === undefined ? kind?.cropPct : file.crop_pct;
  if (cropPct != null) return planCropPct(size, cropPct, { filter, kind, hasCrop: cropSide(file, kind) !== undefined });
  if (size.shortest_edge != null) {
    const shortest = Math.floor(size.shortest_edge * (kind?.enlarges ?? 1));
    const longest = size.longest_edge;
    return {
      resize: { shortest, filter, ...(longest != null && { longest }), ...(divisor !== undefined && { divisor }) },
    };
  }
  if (size.height != null && size.width != null) return { resize: { height: size.height, width: size.width, filter } };
  if (size.max_height != null && size.max_width != null) {
    return { resize: { within: [size.max_height, size.max_width], filter } };
  }
  faults.push('size: expected shortest_edge, height and width, or max_height and max_width');
  return {};
}

function sizeEdges(file: PreprocessorConfig, kind: PreprocessorKind | undefined, faults: string[]): Edges | undefined {
  const size = file.size ?? kind?.size;
  if (size == null) return undefined;
  if (Array.isArray(size)) return { height: size[0], width: size[1] };
  if (typeof size !== 'number') return size;
  if (kind === undefined) {
    faults.push(`size: ${size} is a square for some image processors and a shortest edge for others; say which`);
    return undefined;
  }
  if (kind.isSquare) return { height: size, width: size };
  const longest = file.max_size ?? kind.size['longest_edge'];
  return { shortest_edge: size, ...(longest !== undefined && { longest_edge: longest }) };
}

/** timm's way: resized to `size / crop_pct`, so that a crop of `size` keeps that share. */
function planCropPct(
  { shortest_edge: shortest, height, width }: Edges,
  cropPct: number,
  { filter, kind, hasCrop }: { filter: PictureFilter; kind: PreprocessorKind | undefined; hasCrop: boolean },
): PlannedGeometry {
  const side = shortest ?? (height === width ? height : undefined);
  if (side == null) {
    const scaled = (edge: number | null | undefined) => Math.floor((edge ?? 0) / cropPct);
    return { resize: { height: scaled(height), width: scaled(width), filter } };
  }
  // ConvNeXt from 384 pixels on takes the whole picture, and always crops to a square.
  const cropsByItself = kind?.crop === undefined && !hasCrop;
  if (cropsByItself && side >= 384) return { resize: { height: side, width: side, filter } };
  return {
    resize: { shortest: Math.floor(side / cropPct), filter },
    ...(cropsByItself && { crop: [side, side] as [number, number] }),
  };
}

function planCrop(
  file: PreprocessorConfig,
  kind: PreprocessorKind | undefined,
  faults: string[],
): [number, number] | undefined {
  const size = cropSide(file, kind);
  if (size === undefined) {
    if (file.do_center_crop === true) faults.push('crop_size: it is missing');
    return undefined;
  }
  if (typeof size === 'number') return [size, size];
  const height = size.height ?? size.shortest_edge;
  const width = size.width ?? size.shortest_edge;
  if (height != null && width != null) return [height, width];
  faults.push('crop_size: expected a number, or height and width');
  return undefined;
}

/** What is cropped to, if anything is. */
function cropSide(file: PreprocessorConfig, kind: PreprocessorKind | undefined): number | Edges | undefined {
  const isCropped =
    file.do_center_crop ?? (kind === undefined ? file.crop_size != null : (kind.crops ?? kind.crop !== undefined));
  return isCropped ? (file.crop_size ?? kind?.crop) : undefined;
}

/** Without a size of its own, what is padded gets that of the model, if that is fixed. */
function planPad(
  file: PreprocessorConfig,
  kind: PreprocessorKind | undefined,
  { shape }: PictureInput,
): [number, number] | undefined {
  if (!(file.do_pad ?? kind?.pads ?? false)) return undefined;
  const { height, width } = { ...readPictureShape(shape), ...file.pad_size };
  return height != null && width != null ? [height, width] : undefined;
}
