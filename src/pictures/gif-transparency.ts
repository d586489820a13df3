/**
 * The colour that the palette of a GIF has for the transparent pixels of its first frame; undefined when there are none, or
 * the file is cut. GIF89a, 18 to 23.
 */
export function gifTransparentColour(bytes: Uint8Array): { r: number; g: number; b: number } | undefined {
  const at = (offset: number) => bytes[offset] ?? 0;
  let table = 13;
  let offset = table + tableBytes(at(10));
  let index: number | undefined;
  while (at(offset) === 0x21) {
    if (at(offset + 1) === 0xf9 && (at(offset + 3) & 1) === 1) index = at(offset + 6);
    offset += 2;
    while (at(offset) !== 0) offset += 1 + at(offset);
    offset++;
  }
  if (at(offset) !== 0x2c || index === undefined) return undefined;
  const flags = at(offset + 9);
  const size = tableBytes(flags) === 0 ? tableBytes(at(10)) : tableBytes(flags);
  if (tableBytes(flags) > 0) table = offset + 10;
  if (index * 3 >= size) return undefined;
  const [r = 0, g = 0, b = 0] = bytes.subarray(table + index * 3);
  return { r, g, b };
}

function tableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 0x07) + 1);
}
