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

/** Insertions, deletions and replacements between two texts (V. I. Levenshtein, 1966); `most` where there are as many or more. */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) >= most) return most;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? most) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? most) + 1, (next[j] ?? most) + 1));
    }
    row = next;
  }
  return row[b.length] ?? most;
}
