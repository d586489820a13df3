import { bool, bytes, double, int64, optional, repeated, string, uint64 } from '../protobuf/field.ts';
import { embedded, type MessageOf, map, message, type PartsOf } from '../protobuf/message.ts';
import { bools, doubles, floats, int32s, int64s, uint32s, uint64s } from '../protobuf/numbers.ts';

/** A value of `parameters`; one member is set. */
export const inferParameter = message({
  bool: optional(bool(1)),
  int64: optional(int64(2)),
  string: optional(string(3)),
  double: optional(double(4)),
  uint64: optional(uint64(5)),
});

/** Elements of an input; one member is set, which one depends on the data type. */
export const tensorContents = message({
  bools: bools(1),
  ints: int32s(2),
  int64s: int64s(3),
  uints: uint32s(4),
  uint64s: uint64s(5),
  floats: floats(6),
  doubles: doubles(7),
  texts: repeated(bytes(8)),
});

const inferInput = message({
  name: string(1),
  datatype: string(2),
  shape: int64s(3),
  parameters: map(4, inferParameter),
  contents: optional(embedded(5, tensorContents)),
});

const requestedOutput = message({ name: string(1), parameters: map(2, inferParameter) });

/** `ModelInferRequest` of the Open Inference Protocol. */
export const modelInferRequest = message({
  modelName: string(1),
  modelVersion: string(2),
  id: string(3),
  parameters: map(4, inferParameter),
  inputs: repeated(embedded(5, inferInput)),
  outputs: repeated(embedded(6, requestedOutput)),
  rawInputContents: repeated(bytes(7)),
});

const inferOutput = message({
  name: string(1),
  datatype: string(2),
  shape: int64s(3),
  parameters: map(4, inferParameter),
  contents: optional(embedded(5, tensorContents)),
});

/** `ModelInferResponse`; this server has elements in `rawOutputContents` always, others in the contents of each output. */
export const modelInferResponse = message({
  modelName: string(1),
  modelVersion: string(2),
  id: string(3),
  parameters: map(4, inferParameter),
  outputs: repeated(embedded(5, inferOutput)),
  rawOutputContents: repeated(bytes(6)),
});

/** `ModelStreamInferResponse` as Triton has it: an answer, or why there is none. */
export const modelStreamInferResponse = message({
  errorMessage: string(1),
  inferResponse: optional(embedded(2, modelInferResponse)),
});

export type InferParameter = MessageOf<typeof inferParameter>;
export type TensorContents = MessageOf<typeof tensorContents>;
export type InferInput = MessageOf<typeof inferInput>;
export type ModelInferRequest = MessageOf<typeof modelInferRequest>;
export type ModelInferResponse = PartsOf<typeof modelInferResponse>;

/** Contents without elements. */
export const noContents: TensorContents = tensorContents.decode(new Uint8Array(0));
