/** Added to the count of every bin, so that an empty one has a share that a logarithm takes. */
const pseudoCount = 0.5;

/**
 * The population stability index of two samples that are counted in the same bins: the sum over the bins of
 * (a − e) · ln(a / e), where e is the share of a bin in the reference and a its share in the current sample. It is 0
 * for equal shares, the same both ways round, and grows without bound. It is the symmetric divergence of Kullback and
 * Leibler ("On information and sufficiency", 1951); the name comes from credit scoring (Siddiqi, "Credit Risk Scorecards",
 * 2006), where 0.1 and 0.25 are the usual marks for a small and a large shift.
 *
 * @param reference counts by bin, as many as `current`
 */
export function stabilityIndex(reference: readonly number[], current: readonly number[]): number {
  const expected = shares(reference);
  const actual = shares(current);
  return expected.reduce((sum, share, bin) => {
    const now = actual[bin] ?? share;
    return sum + (now - share) * Math.log(now / share);
  }, 0);
}

/**
 * The index that samples of these sizes have on average when nothing has changed at all: (bins − 1) · (1/n + 1/m), for
 * the index is nearly a chi-square (Yurdakul and Naranjo, "Statistical properties of the population stability index",
 * Journal of Risk Model Validation 14, 2020). An index near it says nothing.
 */
export function indexByChance(bins: number, referenceCount: number, currentCount: number): number | null {
  if (referenceCount === 0 || currentCount === 0) return null;
  return (bins - 1) * (1 / referenceCount + 1 / currentCount);
}

function shares(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count + pseudoCount, 0);
  return counts.map((count) => (count + pseudoCount) / total);
}
