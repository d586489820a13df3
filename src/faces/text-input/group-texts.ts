import type { EncodedGroup } from '../../serving/instance-groups.ts';
import type { Signature } from '../../tensor/tensor.ts';
import type { TextLimits } from '../../texts/text-limits.ts';
import { type TokenRow, tokenInputs } from '../../texts/token-inputs.ts';
import type { SlicedWork } from '../../timing/sliced-work.ts';
import { bucketOf } from './buckets.ts';

export interface GroupOptions {
  readonly signature: Signature;
  readonly limits: TextLimits;
  /** Which texts share a run: those that are padded to a common length, those of one length, or none. */
  readonly sharing: 'padded' | 'exact' | 'none';
  /** Most tokens of a run, padding included: what is made of its outputs takes a few milliseconds of the event loop. */
  readonly maxTokens: number;
  /** Lengths that texts are padded to. @default those of {@link bucketOf} */
  readonly buckets?: readonly number[] | undefined;
  /** The length of every row, where the model has one alone. */
  readonly fixedLength: number | undefined;
  /** Whether the model takes one text at a time. */
  readonly isSingle: boolean;
}

/**
 * The texts of a request by their lengths: each group is padded to a length that other requests are likely to have too. A
 * pause is where others may go on.
 */
export function* groupTexts(rows: readonly TokenRow[], options: GroupOptions): SlicedWork<readonly EncodedGroup[]> {
  const { signature, limits, sharing, maxTokens, buckets, fixedLength, isSingle } = options;
  const lengthOf = ({ ids }: TokenRow) =>
    fixedLength ?? (sharing === 'padded' ? bucketOf(ids.length, limits.maxLength, buckets) : ids.length);
  const byLength = Map.groupBy(rows.keys(), (index) => {
    const row = rows[index];
    return row === undefined ? 0 : lengthOf(row);
  });
  const groups: EncodedGroup[] = [];
  for (const [length, indexes] of byLength) {
    const isShared = sharing !== 'none' && !isSingle;
    const most = isShared ? Math.max(1, Math.floor(maxTokens / Math.max(1, length))) : 1;
    for (const instances of chunks(indexes, most)) {
      const own = instances.flatMap((index) => rows[index] ?? []);
      groups.push({ instances, inputs: tokenInputs(signature, own, length, limits) });
      yield;
    }
  }
  return groups;
}

function chunks(list: readonly number[], size: number): number[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}
