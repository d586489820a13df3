import { bool, repeated, string } from '../protobuf/field.ts';
import { embedded, message } from '../protobuf/message.ts';
import { int64s } from '../protobuf/numbers.ts';

/** A request without members. */
export const empty = message({});

/** `ServerLiveResponse`. */
export const live = message({ live: bool(1) });

/** `ServerReadyResponse` and `ModelReadyResponse`. */
export const ready = message({ ready: bool(1) });

/** Which model, and which version of it: the request of everything that asks about a model. */
export const modelSelector = message({ name: string(1), version: string(2) });

export const serverMetadata = message({ name: string(1), version: string(2), extensions: repeated(string(3)) });

const tensorMetadata = message({ name: string(1), datatype: string(2), shape: int64s(3) });

export const modelMetadata = message({
  name: string(1),
  versions: repeated(string(2)),
  platform: string(3),
  inputs: repeated(embedded(4, tensorMetadata)),
  outputs: repeated(embedded(5, tensorMetadata)),
});
