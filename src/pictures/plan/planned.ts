import type { PicturePlan } from './picture-plan.ts';

/** A plan, or everything that keeps it from being made, in sentences that name the key. */
export type Planned =
  | { readonly plan: PicturePlan; readonly faults?: undefined }
  | { readonly plan?: undefined; readonly faults: readonly string[] };
