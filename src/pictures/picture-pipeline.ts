import { decodePicture } from './decode-picture.ts';
import type { PictureLimits } from './picture-limits.ts';
import type { PictureReader } from './picture-reader.ts';
import type { PictureDatatype, PictureElements } from './picture-tensor.ts';
import type { PictureFrame } from './plan/picture-frame.ts';
import type { PicturePlan } from './plan/picture-plan.ts';
import { type Turn, Turns } from './turns.ts';
import type { PictureWorkers } from './workers/picture-workers.ts';

export interface PicturePipelineOptions {
  readonly reader: Pick<PictureReader, 'read'>;
  readonly workers: Pick<PictureWorkers, 'prepare'>;
  /** Pictures that are decoded, wait for a worker or are at one: as many as both have work for. */
  readonly maxHeld: number;
  /** Those of the server. */
  readonly limits?: PictureLimits;
}

/** A picture as a model takes it. */
export interface PreparedPicture {
  /** Of one picture, in the layout of the plan. */
  readonly elements: PictureElements;
  readonly frame: PictureFrame;
}

/**
 * Makes of the bytes of pictures what models take, off the event loop. A decoded picture can have 150 MB, so that a picture
 * has one turn for decoding and resizing together: no more are in memory than are worked on. Owners take turns.
 */
export class PicturePipeline {
  readonly #options: PicturePipelineOptions;
  readonly #turns: Turns;

  constructor(options: PicturePipelineOptions) {
    this.#options = options;
    this.#turns = new Turns(options.maxHeld);
  }

  /**
   * The elements of a picture, and where it lies in them.
   *
   * @throws {AppError} `UNSUPPORTED_MEDIA_TYPE`, `PICTURE_TOO_LARGE`, `PICTURE_UNREADABLE`, `ENCODER_FAILED`,
   * `SHUTTING_DOWN`
   * @throws the reason of the turn's signal, when that is aborted before a step has begun
   */
  prepare(bytes: Uint8Array, plan: PicturePlan, datatype: PictureDatatype, turn: Turn): Promise<PreparedPicture> {
    const { reader, workers, limits } = this.#options;
    return this.#turns.take(turn, async () => {
      const { raster, frame } = await decodePicture(reader, bytes, plan, turn, limits);
      return { frame, elements: await workers.prepare({ raster, frame, plan, datatype }, turn) };
    });
  }
}
