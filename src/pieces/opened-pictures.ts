import type { z } from 'zod';
import { AppError } from '../errors.ts';
import { defaultPictureThreads } from '../faces/face-tools.ts';
import { decodeRaster } from '../pictures/decode-picture.ts';
import { defaultPictureLimits } from '../pictures/picture-limits.ts';
import { PictureReader } from '../pictures/picture-reader.ts';
import type { PictureFrame } from '../pictures/plan/picture-frame.ts';
import { PicturePlan } from '../pictures/plan/picture-plan.ts';
import type { RgbRaster } from '../pictures/raster.ts';
import { PictureWorkers } from '../pictures/workers/picture-workers.ts';

/** What decodes and resizes pictures, loaded with the first of them. Its threads hold no process open. */
export class OpenedPictures {
  readonly #reader = new PictureReader();
  readonly #workers: PictureWorkers;

  constructor(threads = defaultPictureThreads()) {
    this.#workers = new PictureWorkers({ threads });
  }

  /** The pixels of a file. */
  async decode(bytes: Uint8Array, settings: object, signal: AbortSignal | undefined): Promise<RgbRaster> {
    const plan = planOf(settings);
    const turn = { owner: {}, ...(signal && { signal }) };
    return decodeRaster((file, options) => this.#reader.read(file, turn, options), bytes, plan, defaultPictureLimits);
  }

  /** The pixels of a picture that is resized, as large as the canvas of the frame. */
  async frame(
    picture: RgbRaster,
    settings: object,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly elements: Uint8Array; readonly frame: PictureFrame }> {
    const plan = planOf({ ...settings, layout: 'NHWC' });
    const turn = { owner: {}, ...(signal && { signal }) };
    const { elements, frame } = await this.#workers.prepare(picture, plan, 'UINT8', turn);
    return { elements: new Uint8Array(elements.buffer), frame };
  }
}

/** @throws AppError `INTERNAL`: options are the program's, and no request's */
function planOf(settings: object): PicturePlan {
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const { data, error } = PicturePlan.safeParse(given);
  if (data !== undefined) return data;
  throw new AppError('INTERNAL', { message: `The options of a picture are wrong: ${faultsOf(error)}`, cause: error });
}

function faultsOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('; ');
}
