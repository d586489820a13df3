import { type Members, readList, readMembers, readNumber, readOptionalText, readText } from './read-json.ts';

export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

/** Name, data type and shape of an input or output; -1 stands for a free dimension. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

/** A line of the index of the model repository. */
export interface IndexEntry {
  readonly name: string;
  readonly version: string | undefined;
  /** Undefined for a model that was never loaded. */
  readonly state: string | undefined;
  readonly reason: string | undefined;
}

/** How often something happened, and how long all of it took. */
export interface DurationStatistics {
  readonly count: number;
  readonly ns: number;
}

export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  readonly inferenceCount: number;
  readonly executionCount: number;
  /** Milliseconds since 1970; 0 if the model has never answered. */
  readonly lastInferenceMs: number;
  /** By name: success, fail, queue, compute_input, compute_infer, compute_output. */
  readonly durations: Readonly<Record<string, DurationStatistics>>;
}

export function readServerMetadata(value: unknown): ServerMetadata {
  const server = readMembers(value, 'the metadata');
  return {
    name: readText(server, 'name'),
    version: readText(server, 'version'),
    extensions: readList(server['extensions'], 'extensions', String),
  };
}

export function readModelMetadata(value: unknown): ModelMetadata {
  const metadata = readMembers(value, 'the metadata');
  return {
    name: readText(metadata, 'name'),
    versions: readList(metadata['versions'] ?? [], 'versions', String),
    platform: readText(metadata, 'platform'),
    inputs: readList(metadata['inputs'], 'inputs', readTensor),
    outputs: readList(metadata['outputs'], 'outputs', readTensor),
  };
}

export function readIndex(value: unknown): readonly IndexEntry[] {
  return readList(value, 'the index', (element) => {
    const entry = readMembers(element, 'an entry');
    return {
      name: readText(entry, 'name'),
      version: readOptionalText(entry, 'version'),
      state: readOptionalText(entry, 'state'),
      reason: readOptionalText(entry, 'reason'),
    };
  });
}

export function readStatistics(value: unknown): readonly ModelStatistics[] {
  const answer = readMembers(value, 'the statistics');
  return readList(answer['model_stats'], 'model_stats', (element) => {
    const model = readMembers(element, 'an entry');
    const durations = Object.entries(readMembers(model['inference_stats'], 'inference_stats'));
    return {
      name: readText(model, 'name'),
      version: readText(model, 'version'),
      inferenceCount: readNumber(model['inference_count'], 'inference_count'),
      executionCount: readNumber(model['execution_count'], 'execution_count'),
      lastInferenceMs: readNumber(model['last_inference'], 'last_inference'),
      durations: Object.fromEntries(durations.map(([name, duration]) => [name, readDuration(duration, name)])),
    };
  });
}

function readTensor(value: unknown): TensorMetadata {
  const tensor = readMembers(value, 'a tensor');
  return {
    name: readText(tensor, 'name'),
    datatype: readText(tensor, 'datatype'),
    shape: readList(tensor['shape'], 'shape', (dimension) => readNumber(dimension, 'a dimension')),
  };
}

function readDuration(value: unknown, name: string): DurationStatistics {
  const duration: Members = readMembers(value, name);
  return { count: readNumber(duration['count'], 'count'), ns: readNumber(duration['ns'], 'ns') };
}
