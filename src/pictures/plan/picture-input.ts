import type { DataType } from '../../tensor/data-type.ts';
import { type PictureDatatype, pictureDatatypes } from '../picture-tensor.ts';
import type { Size } from '../raster.ts';
import { fixedCanvas } from './picture-frame.ts';
import type { PicturePlan } from './picture-plan.ts';

/** The input of a model that takes pictures; `-1` stands for a free dimension. */
export interface PictureInput {
  readonly name: string;
  readonly datatype: DataType;
  readonly shape: readonly number[];
}

/** Where a shape of four dimensions has its channels, and its height and width. */
export interface PictureShape {
  readonly layout: PicturePlan['layout'];
  /** Undefined where it is free. */
  readonly height: number | undefined;
  readonly width: number | undefined;
}

/** Reads a shape as that of a batch of pictures of three channels; undefined when it is none. */
export function readPictureShape(shape: readonly number[]): PictureShape | undefined {
  const [, second, third, fourth] = shape;
  if (shape.length !== 4 || second === undefined || third === undefined || fourth === undefined) return undefined;
  if (second === 3 || (second === -1 && fourth !== 3))
    return { layout: 'NCHW', height: fixed(third), width: fixed(fourth) };
  if (fourth === 3) return { layout: 'NHWC', height: fixed(second), width: fixed(third) };
  return undefined;
}

function fixed(dimension: number): number | undefined {
  return dimension > 0 ? dimension : undefined;
}

export function isPictureDatatype(datatype: DataType): datatype is PictureDatatype {
  return pictureDatatypes.some((known) => known === datatype);
}

/** What of a plan does not fit the input of the model, in sentences; none when it fits. */
export function inputFaults(plan: PicturePlan, { name, datatype, shape }: PictureInput): string[] {
  const faults: string[] = [];
  if (!isPictureDatatype(datatype)) {
    faults.push(`the input ${name} is ${datatype}, expected ${pictureDatatypes.join(', ')}`);
  } else if (datatype === 'UINT8' && !isPlain(plan)) {
    faults.push(`the input ${name} is UINT8, expected scale 1, mean 0 and std 1`);
  }
  const model = readPictureShape(shape);
  if (model === undefined) {
    return [
      ...faults,
      `the input ${name} has the shape [${shape.join(', ')}], expected four dimensions, one of 3 channels`,
    ];
  }
  if (model.layout !== plan.layout) faults.push(`the input ${name} is ${model.layout}, the plan says ${plan.layout}`);
  const canvas = fixedCanvas(plan);
  const wanted = { height: model.height, width: model.width };
  if (canvas !== undefined) faults.push(...sizeFaults(name, canvas, wanted));
  else if (wanted.height !== undefined || wanted.width !== undefined) {
    const size = `${wanted.height ?? 'any'} x ${wanted.width ?? 'any'}`;
    faults.push(`the input ${name} has the fixed size ${size}, and the size of what is made depends on the picture`);
  }
  return faults;
}

function isPlain({ scale, mean, std }: PicturePlan): boolean {
  return scale === 1 && mean.every((value) => value === 0) && std.every((value) => value === 1);
}

function sizeFaults(
  name: string,
  made: Size,
  wanted: { height: number | undefined; width: number | undefined },
): string[] {
  const fits = made.height === (wanted.height ?? made.height) && made.width === (wanted.width ?? made.width);
  if (fits) return [];
  const size = `${wanted.height ?? 'any'} x ${wanted.width ?? 'any'}`;
  return [`the input ${name} has height and width ${size}, ${made.height} x ${made.width} are made`];
}
