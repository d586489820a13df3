export interface BackOffBounds {
  readonly first: number;
  readonly longest: number;
}

/**
 * How long to wait after a failure: `first`, and twice as long after each more in a row, up to `longest`; in their unit.
 *
 * @param failures in a row, from 1
 */
export function backOff({ first, longest }: BackOffBounds, failures: number): number {
  return Math.min(longest, first * 2 ** (failures - 1));
}
