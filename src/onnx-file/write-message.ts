const encoder = new TextEncoder();

/** A field that is an integer from 0 up. Source: https://protobuf.dev/programming-guides/encoding */
export function integerField(number: number, value: number): Uint8Array {
  return join([varint(number * 8), varint(value)]);
}

/** A field that is a text, bytes or a message. */
export function bytesField(number: number, value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === 'string' ? encoder.encode(value) : value;
  return join([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
