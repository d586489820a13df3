const firstMs = 250;
const longestMs = 15_000;

/** How long to wait before the next try after so many that failed, counted from 1: twice as long each time. */
export function backoffMs(failures: number): number {
  return Math.min(longestMs, firstMs * 2 ** (failures - 1));
}
