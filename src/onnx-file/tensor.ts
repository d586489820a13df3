import { embedded, entry, type FieldHandler, integer, integers, message, text } from './message.ts';

/** What is known of a tensor without its values. */
export interface TensorSummary {
  readonly name: string;
  /** Values of an int32 or int64 tensor of up to 64 elements. */
  readonly smallInts?: readonly number[];
  /** Where its values are, when they are in another file. */
  readonly externalLocation?: string;
}

const mostElements = 64;
/** `TensorProto.DataType` */
const int32 = 6;
const int64 = 7;
/** `TensorProto.DataLocation` */
const external = 1;

/** Reads a `TensorProto`; its values are skipped, but for few integers. */
export function tensor(set: (tensor: TensorSummary) => void): FieldHandler {
  return embedded(function* readTensor(reader, end) {
    let name = '';
    let dataType: number | bigint = 0;
    let location: number | bigint = 0;
    let externalLocation = '';
    let raw: Uint8Array | undefined;
    const dims: (number | bigint)[] = [];
    const values: (number | bigint)[] = [];
    yield* message(reader, end, {
      1: integers(dims, 16),
      2: integer((value) => {
        dataType = value;
      }),
      5: integers(values, mostElements),
      7: integers(values, mostElements),
      8: text((value) => {
        name = value;
      }),
      9: function* readRaw(field) {
        const bytes = yield* field.bytes(mostElements * 8);
        raw = bytes?.slice();
      },
      13: entry((key, value) => {
        if (key === 'location') externalLocation = value;
      }),
      14: integer((value) => {
        location = value;
      }),
    });
    const isExternal = location === external;
    const elements = dims.reduce<number>((product, dim) => product * Number(dim), 1);
    const small = isExternal ? undefined : smallInts(Number(dataType), raw, values);
    set({
      name,
      ...(small?.length === elements && elements <= mostElements && { smallInts: small }),
      ...(isExternal && externalLocation !== '' && { externalLocation }),
    });
  });
}

function smallInts(
  dataType: number,
  raw: Uint8Array | undefined,
  values: readonly (number | bigint)[],
): number[] | undefined {
  if (dataType !== int32 && dataType !== int64) return undefined;
  if (raw === undefined) return values.map(Number);
  const size = dataType === int32 ? 4 : 8;
  if (raw.length % size !== 0) return undefined;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: raw.length / size }, (_, index) =>
    size === 4 ? view.getInt32(index * 4, true) : Number(view.getBigInt64(index * 8, true)),
  );
}
