import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { int64, repeated, string, uint32 } from '../../src/open-inference-messages/protobuf/field.ts';
import { embedded, message } from '../../src/open-inference-messages/protobuf/message.ts';
import type { DataType } from '../../src/tensor/data-type.ts';

// The messages of onnx.proto that a model of one node needs.
const dimension = message({ value: int64(1), parameter: string(2) });
const tensorType = message({
  elementType: uint32(1),
  shape: embedded(2, message({ dim: repeated(embedded(1, dimension)) })),
});
const valueInfo = message({ name: string(1), type: embedded(2, message({ tensorType: embedded(1, tensorType) })) });
const node = message({ input: repeated(string(1)), output: repeated(string(2)), opType: string(4) });
const graph = message({
  node: repeated(embedded(1, node)),
  name: string(2),
  input: repeated(embedded(11, valueInfo)),
  output: repeated(embedded(12, valueInfo)),
});
const model = message({
  irVersion: int64(1),
  graph: embedded(7, graph),
  opsetImport: repeated(embedded(8, message({ domain: string(1), version: int64(2) }))),
});

/** The numbers of `TensorProto.DataType`. */
export const elementTypes: Readonly<Record<DataType, number>> = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
};

export const dataTypes = Object.keys(elementTypes).sort() as DataType[];

/** An ONNX model whose output `y` is what the operator makes of its input `x`, if they are not named otherwise: as many rows of as many elements as one likes. */
export function identityModel(datatype: DataType, operator = 'Identity', { input = 'x', output = 'y' } = {}): Buffer {
  const shape = { dim: [{ parameter: 'rows' }, { parameter: 'length' }] };
  const value = (name: string) => ({ name, type: { tensorType: { elementType: elementTypes[datatype], shape } } });
  return model.encode({
    irVersion: 8n,
    opsetImport: [{ version: 17n }],
    graph: {
      name: 'identity',
      node: [{ input: [input], output: [output], opType: operator }],
      input: [value(input)],
      output: [value(output)],
    },
  });
}

/** Adds a model `name` of one version to a repository. */
export async function addIdentityModel(modelsDir: string, name: string, datatype: DataType): Promise<void> {
  await mkdir(join(modelsDir, name, '1'), { recursive: true });
  await writeFile(join(modelsDir, name, '1', 'model.onnx'), identityModel(datatype));
}
