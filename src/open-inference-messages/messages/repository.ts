import { bool, bytes, int64, optional, repeated, string } from '../protobuf/field.ts';
import { embedded, type MessageOf, map, message } from '../protobuf/message.ts';

export const repositoryIndexRequest = message({ repositoryName: string(1), ready: bool(2) });

const modelIndex = message({ name: string(1), version: string(2), state: string(3), reason: string(4) });

export const repositoryIndexResponse = message({ models: repeated(embedded(1, modelIndex)) });

/** A value of `parameters`; one member is set. */
const repositoryParameter = message({
  bool: optional(bool(1)),
  int64: optional(int64(2)),
  string: optional(string(3)),
  bytes: optional(bytes(4)),
});

/** `RepositoryModelLoadRequest` and `RepositoryModelUnloadRequest`, with Triton's numbers: KServe has the name as field 1. */
export const repositoryModelRequest = message({
  repositoryName: string(1),
  modelName: string(2),
  parameters: map(3, repositoryParameter),
});

export type RepositoryParameter = MessageOf<typeof repositoryParameter>;
