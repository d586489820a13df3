import { backOff } from '../timing/back-off.ts';

const boundsMs = { first: 250, longest: 15_000 };

/** How long to wait before the next try after so many that failed, counted from 1. */
export function backoffMs(failures: number): number {
  return backOff(boundsMs, failures);
}
