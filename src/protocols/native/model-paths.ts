import type { LoadedVersion } from '../../models/registry/loaded-version.ts';
import type { Registry } from '../../models/registry/registry.ts';
import { classNamesOf } from '../../tensor/class-names.ts';
import type { Signature } from '../../tensor/tensor.ts';
import { exampleRequest } from '../example-request.ts';
import { inputSchema, type JsonSchema, outputSchema } from './tensor-schema.ts';

/** The paths of an OpenAPI document. */
export type Paths = Readonly<Record<string, JsonSchema>>;

const anyModel = '/models/{name}/predict';

/**
 * A path of its own for every model that is loaded, and for each of its versions where it has several, with schemas made
 * from the signature. What all models share is taken from the documented path for any model.
 *
 * @param documented the paths of the document that these ones are added to
 * @param maySee whether the reader of the document may be told of a model
 */
export function modelPaths(
  registry: Registry,
  documented: Paths,
  maySee: (model: string) => boolean = () => true,
): Paths {
  const operation = asObject(asObject(documented[anyModel])['post']);
  const paths: [string, JsonSchema][] = [];
  for (const { name, versions, served } of registry.list()) {
    const loaded = versions.filter(({ predictor }) => predictor !== undefined);
    if (served === undefined || !maySee(name)) continue;
    paths.push([`/models/${name}/predict`, { post: modelOperation(operation, served) }]);
    if (loaded.length === 1) continue;
    for (const each of loaded) {
      const path = `/models/${name}/versions/${each.version}/predict`;
      paths.push([path, { post: modelOperation(operation, each) }]);
    }
  }
  return Object.fromEntries(paths);
}

function modelOperation(
  operation: JsonSchema,
  { name, version, manifest, predictor, engine }: LoadedVersion,
): JsonSchema {
  const signature: Signature = predictor?.signature ?? { inputs: [], outputs: [] };
  const example = exampleRequest(engine?.example);
  const inputs = signature.inputs.map((spec) => [spec.name, inputSchema(spec)] as const);
  const outputs = signature.outputs.map(
    (spec) => [spec.name, outputSchema(spec, classNamesOf(manifest.labels, spec.name))] as const,
  );
  return {
    ...operation,
    tags: ['models'],
    summary: `Predict with ${name}, version ${version}`,
    ...(manifest.description !== undefined && { description: manifest.description }),
    parameters: list(operation['parameters']).filter((parameter) => asObject(parameter)['in'] !== 'path'),
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: { ...objectOf(inputs), required: inputs.map(([input]) => input), additionalProperties: false },
          ...(example !== undefined && { example }),
        },
      },
    },
    responses: {
      ...asObject(operation['responses']),
      200: { description: 'The outputs by name', content: { 'application/json': { schema: objectOf(outputs) } } },
    },
  };
}

function objectOf(properties: readonly (readonly [string, JsonSchema])[]): JsonSchema {
  return { type: 'object', properties: Object.fromEntries(properties) };
}

function asObject(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? (value as JsonSchema) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
