export type {
  DurationStatistics,
  IndexEntry,
  ModelMetadata,
  ModelStatistics,
  ServerMetadata,
  TensorMetadata,
} from './answers.ts';
export {
  Client,
  type ClientOptions,
  type Compression,
  type InferOptions,
  type InferResult,
  type VersionOptions,
} from './client.ts';
export { ClientError } from './client-error.ts';
export { type AnyTensor, type ModelTypes, type TensorOf, tensor } from './tensors.ts';
export type { CallOptions, ClientClock } from './transport.ts';
