import { z } from 'zod';

/** These schemas document the routes. Bodies are checked where they are read, for they may be binary, and are large. */
const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const shape = z.array(z.int());
const data = z.array(z.any()).describe('Flat, or nested as the shape says');
const datatype = z
  .enum([
    'BOOL',
    'UINT8',
    'UINT16',
    'UINT32',
    'UINT64',
    'INT8',
    'INT16',
    'INT32',
    'INT64',
    'FP16',
    'FP32',
    'FP64',
    'BYTES',
  ])
  .describe('Data type');

export const modelParams = z.object({ name: z.string().describe('Name of the model') });
export const versionParams = modelParams.extend({ version: z.string().describe('Number of the version') });

export const live = z.object({ live: z.literal(true) });
export const ready = z.object({ ready: z.boolean(), live: z.literal(true), error: z.string().optional() });
export const modelReady = z.object({ name: z.string(), ready: z.boolean(), error: z.string().optional() });

export const serverMetadata = z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) });
export const modelNames = z.object({ models: z.array(z.string()) });

const tensorMetadata = z.object({ name: z.string(), datatype, shape: shape.describe('-1 where any size fits') });

export const modelMetadata = z.object({
  name: z.string(),
  versions: z.array(z.string()).describe('Versions that can be asked for'),
  platform: z.string(),
  inputs: z.array(tensorMetadata),
  outputs: z.array(tensorMetadata),
});

export const modelConfig = z.looseObject({
  name: z.string(),
  platform: z.string(),
  backend: z.string(),
  max_batch_size: z.int().describe('0 when requests do not share runs; else dims leave out the dimension of the rows'),
});

export const inferRequest = z.looseObject({
  id: z.string().optional().describe('Given back in the reply'),
  parameters: parameters.optional().describe('timeout (µs), binary_data_output'),
  inputs: z.array(
    z.looseObject({ name: z.string(), datatype, shape, parameters: parameters.optional(), data: data.optional() }),
  ),
  outputs: z
    .array(z.looseObject({ name: z.string(), parameters: parameters.optional() }))
    .optional()
    .describe('Absent: all'),
});

export const inferResponse = z.object({
  id: z.string().optional(),
  model_name: z.string(),
  model_version: z.string(),
  outputs: z.array(
    z.object({ name: z.string(), datatype, shape, parameters: parameters.optional(), data: data.optional() }),
  ),
});

const duration = z.object({ count: z.int(), ns: z.int() });
const batchDurations = { compute_input: duration, compute_infer: duration, compute_output: duration };

export const modelStatistics = z.object({
  model_stats: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      last_inference: z.int().describe('Milliseconds since 1970'),
      inference_count: z.int().describe('Rows that were run'),
      execution_count: z.int().describe('Runs'),
      inference_stats: z.object({
        success: duration,
        fail: duration,
        queue: duration,
        ...batchDurations,
        cache_hit: duration,
        cache_miss: duration,
      }),
      response_stats: z.object({}),
      batch_stats: z.array(z.object({ batch_size: z.int(), ...batchDurations })),
      memory_usage: z.array(z.object({ type: z.string(), id: z.int(), byte_size: z.int() })),
    }),
  ),
});

export const indexRequest = z.looseObject({ ready: z.boolean().optional().describe('Only what is ready') });
export const index = z.array(
  z.object({
    name: z.string(),
    version: z.string().optional(),
    state: z.enum(['LOADING', 'READY', 'UNLOADING', 'UNAVAILABLE']).optional(),
    reason: z.string().optional(),
  }),
);

export const repositoryRequest = z.looseObject({ parameters: parameters.optional() });
