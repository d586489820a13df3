import { longestHead, malformed, type Reading, type WireReader, wireTypes } from './wire-reader.ts';

/** Reads one occurrence of a field. What it leaves unread is skipped. */
export type FieldHandler = (reader: WireReader) => Reading<void> | undefined;

/** What an object takes in memory, roughly. */
const objectBytes = 100;

/** Reads a message up to `end`; fields without a handler are skipped, and their bytes are never loaded. */
export function* message(
  reader: WireReader,
  end: number,
  handlers: Readonly<Record<number, FieldHandler>>,
): Reading<void> {
  reader.enter();
  reader.keep(objectBytes);
  while (reader.position < end) {
    if (!reader.ready(longestHead)) yield longestHead;
    const handler = handlers[reader.field(end)];
    const { valueEnd } = reader;
    const reading = handler?.(reader);
    if (reading) yield* reading;
    reader.position = valueEnd;
  }
  reader.depth -= 1;
}

/** Text of up to 1 MiB; a longer one is malformed. */
export function text(set: (value: string) => void): FieldHandler {
  return function* readText(reader) {
    const value = yield* reader.text();
    if (value === undefined) throw malformed(`a name of more than 1 MiB (byte ${reader.position})`);
    set(value);
  };
}

/** Text of up to 1 MiB; a longer one is left out. */
export function shortText(set: (value: string | undefined) => void): FieldHandler {
  return function* readText(reader) {
    set(yield* reader.text());
  };
}

export function integer(set: (value: number | bigint) => void): FieldHandler {
  return (reader) => {
    reader.expect(wireTypes.varint);
    set(reader.integer);
    return undefined;
  };
}

/** A field that is a message; `read` reads it up to the given end. */
export function embedded(read: (reader: WireReader, end: number) => Reading<void>): FieldHandler {
  return (reader) => {
    reader.expect(wireTypes.lengthDelimited);
    return read(reader, reader.valueEnd);
  };
}

/** A list of integers, packed or not; one of more than `most` is left one too long. */
export function integers(into: (number | bigint)[], most: number): FieldHandler {
  return (reader) => reader.integers(into, most);
}

/** `StringStringEntryProto` */
export function entry(set: (key: string, value: string) => void): FieldHandler {
  return embedded(function* readEntry(reader, end) {
    let key = '';
    let value: string | undefined = '';
    yield* message(reader, end, {
      1: text((read) => {
        key = read;
      }),
      2: shortText((read) => {
        value = read;
      }),
    });
    if (value !== undefined) set(key, value);
  });
}
