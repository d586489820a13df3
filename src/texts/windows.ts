import type { Side } from './text-limits.ts';

/** Tokens of a text from one on, up to another that is no more of them. */
export interface TokenRange {
  readonly start: number;
  readonly end: number;
}

export interface WindowOptions {
  /** Most tokens of a window; more than {@link stride}. */
  readonly room: number;
  /** Tokens that a window shares with the next. */
  readonly stride: number;
  /** Where windows end: `right` begins with the first token, `left` with the last. */
  readonly side: Side;
}

/**
 * Windows over the tokens of a text, each as long as there is room. Cut from the left, the first is the last of the text.
 * Source: `Encoding::truncate` of tokenizers, whose JavaScript binding gives only some of them.
 */
export function windowRanges(count: number, { room, stride, side }: WindowOptions): readonly TokenRange[] {
  const ranges: TokenRange[] = [];
  for (let from = 0; ; from += room - stride) {
    const to = Math.min(from + room, count);
    ranges.push(side === 'right' ? { start: from, end: to } : { start: count - to, end: count - from });
    if (to === count) return ranges;
  }
}

/** How many windows there would be. */
export function windowCount(count: number, { room, stride }: Pick<WindowOptions, 'room' | 'stride'>): number {
  return count <= room ? 1 : 1 + Math.ceil((count - room) / (room - stride));
}
