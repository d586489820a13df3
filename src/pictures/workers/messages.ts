import { AppError, type ErrorCode } from '../../errors.ts';
import type { PictureLimits } from '../picture-limits.ts';
import type { PictureDatatype } from '../picture-tensor.ts';
import type { PicturePlan } from '../plan/picture-plan.ts';
import type { PreparedPicture } from '../prepare-picture.ts';
import type { RgbRaster } from '../raster.ts';

/** What a picture worker is told: one picture at a time, its bytes by transfer. */
export interface JobMessage {
  /** The file, or pixels that were decoded already. */
  readonly source: Uint8Array | RgbRaster;
  readonly plan: PicturePlan;
  readonly datatype: PictureDatatype;
  /** Those of the server. */
  readonly limits: PictureLimits;
}

/** What it answers, the elements by transfer. An error of the table crosses threads as plain data. */
export type OutcomeMessage =
  | { readonly kind: 'prepared'; readonly picture: PreparedPicture }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly options: RefusalOptions }
  | { readonly kind: 'failed'; readonly error: unknown };

interface RefusalOptions {
  readonly message: string;
  readonly received?: unknown;
  readonly expected?: unknown;
  readonly cause?: unknown;
}

export function failureMessage(error: unknown): OutcomeMessage {
  if (!(error instanceof AppError)) return { kind: 'failed', error };
  const { code, message, received, expected, cause } = error;
  return { kind: 'refused', code, options: { message, received, expected, cause } };
}

/** @throws what kept the picture from being prepared */
export function preparedPicture(outcome: OutcomeMessage): PreparedPicture {
  switch (outcome.kind) {
    case 'prepared':
      return outcome.picture;
    case 'refused':
      throw new AppError(outcome.code, outcome.options);
    case 'failed':
      throw outcome.error;
  }
}
