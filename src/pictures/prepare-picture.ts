import { type PictureDatatype, type PictureElements, pictureTensor, visibleRegion } from './picture-tensor.ts';
import type { PictureFrame } from './plan/picture-frame.ts';
import type { PicturePlan } from './plan/picture-plan.ts';
import type { RgbRaster } from './raster.ts';
import type { Resampler } from './resample/resampler.ts';

/** A decoded picture, and what is to become of it. */
export interface PictureJob {
  /** As it is shown, or of the resized size already where pixels need not be exact. */
  readonly raster: RgbRaster;
  readonly frame: PictureFrame;
  readonly plan: PicturePlan;
  readonly datatype: PictureDatatype;
}

/** A picture as a model takes it. */
export interface PreparedPicture {
  /** Of one picture, in the layout of the plan. */
  readonly elements: PictureElements;
  readonly frame: PictureFrame;
}

/** Resizes, crops, normalises and pads: the elements of one picture in the input of a model. */
export function preparePicture({ raster, frame, plan, datatype }: PictureJob, resampler: Resampler): PictureElements {
  const filter = plan.resize?.filter ?? 'nearest';
  const pixels = resampler.resample(raster, frame.resized, visibleRegion(frame), filter);
  return pictureTensor(pixels, frame, plan, datatype);
}
