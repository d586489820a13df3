import type { Buffer } from 'node:buffer';
import { expectWireType, type Field, string } from './field.ts';
import { WireReader, wireTypes } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

type Fields = Readonly<Record<string, Field<unknown, never>>>;

type ReadMembers<F extends Fields> = {
  readonly [Name in keyof F]: F[Name] extends Field<infer Read, never> ? Read : never;
};
type WrittenMembers<F extends Fields> = {
  readonly [Name in keyof F]?: (F[Name] extends Field<unknown, infer Written> ? Written : never) | undefined;
};

/** A type of message. Fields that it does not know are passed over. */
export interface MessageType<Read, Written> {
  /** @throws AppError `MALFORMED_BODY` */
  decode(encoded: Uint8Array): Read;
  /** Members that are left out have their empty value. */
  encode(members: Written): Buffer;
}

/** What a message of the type has once it is read: every member. */
export type MessageOf<Type> = Type extends MessageType<infer Read, never> ? Read : never;

/** What it takes to write a message of the type. */
export type PartsOf<Type> = Type extends MessageType<unknown, infer Written> ? Written : never;

/** A type of message from its fields. */
export function message<F extends Fields>(fields: F): MessageType<ReadMembers<F>, WrittenMembers<F>> {
  const entries = Object.entries<Field<unknown, unknown>>(fields);
  const byNumber = new Map(entries.map(([name, field]) => [field.number, { name, field }]));
  const empty = Object.fromEntries(entries.map(([name, field]) => [name, field.empty]));
  return {
    decode(encoded) {
      const members: Record<string, unknown> = { ...empty };
      const reader = new WireReader(encoded);
      while (!reader.done) {
        const { field: number, wireType } = reader.tag();
        const known = byNumber.get(number);
        if (known === undefined) reader.skip(wireType);
        else members[known.name] = known.field.read(reader, wireType, members[known.name]);
      }
      // Each member is the empty value of its field, or what that field has read.
      return members as ReadMembers<F>;
    },
    encode(members) {
      const writer = new WireWriter();
      for (const [name, field] of entries) {
        const value = members[name];
        if (value !== undefined && value !== field.empty) field.write(writer, value);
      }
      return writer.finish();
    },
  };
}

/** A field that is a message; of several occurrences the last counts. */
export function embedded<Read, Written>(number: number, type: MessageType<Read, Written>): Field<Read, Written> {
  return {
    number,
    empty: type.decode(new Uint8Array(0)),
    read(reader, wireType) {
      expectWireType(number, wireType, wireTypes.lengthDelimited);
      return type.decode(reader.bytes());
    },
    write: (writer, value) => writer.field(number, type.encode(value)),
  };
}

/** A `map<string, …>` of messages. */
export function map<Read, Written>(
  number: number,
  type: MessageType<Read, Written>,
): Field<ReadonlyMap<string, Read>, ReadonlyMap<string, Written>> {
  const entry = message({ key: string(1), value: embedded(2, type) });
  const empty = new Map<string, Read>();
  return {
    number,
    empty,
    read(reader, wireType, previous) {
      expectWireType(number, wireType, wireTypes.lengthDelimited);
      const { key, value } = entry.decode(reader.bytes());
      if (previous === empty) return new Map([[key, value]]);
      // This very map was made by the line above, for the message that is being read.
      (previous as Map<string, Read>).set(key, value);
      return previous;
    },
    write(writer, values) {
      for (const [key, value] of values) writer.field(number, entry.encode({ key, value }));
    },
  };
}
