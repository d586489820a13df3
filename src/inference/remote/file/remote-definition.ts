import { z } from 'zod';
import { type DataType, typedArrays } from '../../../tensor/data-type.ts';
import { urlFault } from './remote-url.ts';

const dataTypes: readonly DataType[] = [...(Object.keys(typedArrays) as (keyof typeof typedArrays)[]), 'BYTES'];

const remoteUrl = z.string().superRefine((url, context) => {
  const message = urlFault(url);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

const tensor = z.strictObject({
  name: z.string().min(1).max(256),
  datatype: z.enum(dataTypes),
  shape: z.array(z.int().min(-1)).max(16).describe('-1 where any size fits'),
});

const tensors = (which: string) =>
  z.array(tensor).max(1024).default([]).describe(`${which} of the model; unset: as the server's metadata say`);

const tls = z.strictObject({
  ca: z
    .string()
    .min(1)
    .describe("File of the certificates that the server's is checked by, PEM, in the folder of this file"),
});

/** `remote.json`: a model on another server of the Open Inference Protocol. */
export const remoteDefinitionSchema = z
  .strictObject({
    $schema: z.string().optional(),
    urls: z
      .array(remoteUrl)
      .min(1)
      .max(16)
      .describe('Servers that have the model: http(s)://host:port or grpc(s)://host:port, all of one protocol'),
    protocol: z.enum(['http', 'grpc']).exactOptional().describe('That of the urls; unset: as they say'),
    model: z.string().min(1).max(256).describe('Name of the model on that server'),
    version: z
      .union([z.string().min(1).max(64), z.int().min(1)], 'expected a version, such as "3"')
      .transform(String)
      .exactOptional()
      .describe('Its version there; unset: the one that the server chooses'),
    concurrency: z.int().min(1).max(1024).default(64).describe('Most requests under way, over all urls'),
    connectTimeoutMs: z.int().min(1).max(60_000).default(500).describe('Longest time for a connection'),
    headers: z
      .record(z.string(), z.string().max(8192))
      .default({})
      .describe(
        'Headers of every request; "$' + '{NAME}" stands for a variable of the environment that REMOTE_SECRETS names',
      ),
    tls: tls.exactOptional(),
    inputs: tensors('Inputs'),
    outputs: tensors('Outputs'),
  })
  .meta({ title: 'inferd remote model' });

export type RemoteDefinition = z.output<typeof remoteDefinitionSchema>;

/** Keys of the objects of the file, for the nearest of a mistyped one. */
export const remoteKeys = {
  remote: Object.keys(remoteDefinitionSchema.shape),
  tls: Object.keys(tls.shape),
  tensor: Object.keys(tensor.shape),
} as const;

/** The JSON Schema by which editors complete `remote.json`. */
export function remoteJsonSchema(): unknown {
  return z.toJSONSchema(remoteDefinitionSchema, { io: 'input', reused: 'ref' });
}
