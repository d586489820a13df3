/** The name that a mistyped one was most likely meant to be; undefined when none is near. */
export function nearestName(mistyped: string, names: Iterable<string>): string | undefined {
  const wanted = mistyped.slice(0, 64).toLowerCase();
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(wanted, name.toLowerCase(), least);
    if (distance >= least) continue;
    least = distance;
    nearest = name;
  }
  return nearest;
}

/**
 * Insertions, deletions, replacements and swaps of neighbours between two texts (F. J. Damerau, 1964); `most` where there
 * are as many or more.
 */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) >= most) return most;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? most) + (a[i] === b[j] ? 0 : 1);
      const isSwap = i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j];
      const swapped = isSwap ? (before[j - 1] ?? most) + 1 : most;
      next.push(Math.min(replaced, swapped, (row[j + 1] ?? most) + 1, (next[j] ?? most) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? most;
}
