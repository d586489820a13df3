import type { PictureElements } from '../picture-tensor.ts';
import type { PictureJob } from '../prepare-picture.ts';

/** What a picture worker is told: one job at a time, its pixels by transfer. */
export type JobMessage = PictureJob;

/** What it answers, its elements by transfer. */
export type OutcomeMessage =
  | { readonly ok: true; readonly elements: PictureElements }
  | { readonly ok: false; readonly error: unknown };
