/** A header as people write it, `Name: value`. */
export function readHeader(text: string): [name: string, value: string] {
  const colon = text.indexOf(':');
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}
