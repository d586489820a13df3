/** How many Unicode code points a text has; a surrogate without its other half is one. */
export function codePointCount(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Cuts pieces out of a text by code points, which is how tokenizers count, and not JavaScript. */
export function codePointSlicer(text: string): (start: number, end: number) => string {
  if (!/[\ud800-\udbff]/.test(text)) return (start, end) => text.slice(start, end);
  const units = new Int32Array(text.length + 1);
  let count = 0;
  let unit = 0;
  for (const character of text) {
    units[count] = unit;
    count += 1;
    unit += character.length;
  }
  const at = (index: number) => (index < count ? (units[index] ?? unit) : unit);
  return (start, end) => text.slice(at(start), at(end));
}
