export interface Size {
  readonly rows: number;
  readonly bytes: number;
}

/** How many of the first items are together no larger than `most`; at least one, where there is one. */
export function countFitting<Item>(items: readonly Item[], most: Size, sizeOf: (item: Item) => Size): number {
  let rows = 0;
  let bytes = 0;
  const end = items.findIndex((item, index) => {
    const size = sizeOf(item);
    rows += size.rows;
    bytes += size.bytes;
    return index > 0 && (rows > most.rows || bytes > most.bytes);
  });
  return end === -1 ? items.length : end;
}
