import type { ColourRaster } from './raster.ts';
import { type ReadOptions, readPicture } from './read-picture.ts';
import { loadSharp, type OpenPicture } from './sharp.ts';
import { type Turn, Turns } from './turns.ts';

/**
 * Reads small pictures for who works on their pixels on this thread, so many at once, the others wait: memory stays
 * bounded. Owners take turns.
 */
export class PictureReader {
  readonly #turns: Turns;
  #loading: Promise<OpenPicture> | undefined;

  /** @param maxConcurrent pictures read at the same time. @default 2 */
  constructor(maxConcurrent = 2) {
    this.#turns = new Turns(maxConcurrent);
  }

  /**
   * @throws what {@link readPicture} throws; the reason of the turn's signal, when that is aborted before the picture's
   * turn comes
   */
  async read(bytes: Uint8Array, turn: Turn, options: ReadOptions): Promise<ColourRaster> {
    this.#loading ??= loadSharp();
    const open = await this.#loading;
    return this.#turns.take(turn, () => readPicture(open, bytes, options));
  }
}
