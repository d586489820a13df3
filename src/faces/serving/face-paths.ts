import { z } from 'zod';
import type { AnyDomain } from '../../domains/define-domain.ts';
import { mostInstances } from '../../domains/instances.ts';
import { jsonSchemaOf, type Paths } from '../../http/routes/openapi.ts';
import type { ModelFace } from '../model-face.ts';

type Json = Readonly<Record<string, unknown>>;

const templates = {
  one: '/{name}/predict',
  many: '/{name}/predict/batch',
  tasks: '/{name}/tasks',
  hf: '/{name}/hf',
} as const;

/**
 * The paths of a document with the routes of each face in place of those of any, with its schemas and examples.
 *
 * @param documented the paths of all routes that there are
 * @param faces those that the reader of the document may be told of
 */
export function withFacePaths(documented: Paths, faces: readonly ModelFace[]): Paths {
  const {
    [templates.one]: one,
    [templates.many]: many,
    [templates.tasks]: tasks,
    [templates.hf]: hf,
    ...others
  } = documented;
  const paths = faces.flatMap(({ domain, options }): [string, Json][] => {
    const query = options === undefined ? [] : queryParameters(options.schema);
    return [
      ...pathOf(one, query, `/${domain.name}/predict`, oneOperation(domain)),
      ...pathOf(many, query, `/${domain.name}/predict/batch`, manyOperation(domain)),
      ...pathOf(tasks, query, `/${domain.name}/tasks`, taskOperation(domain)),
      ...pathOf(hf, [], `/${domain.name}/hf`, { tags: [domain.name] }),
    ];
  });
  return { ...others, ...Object.fromEntries(paths) };
}

function pathOf(documented: Json | undefined, query: readonly Json[], path: string, operation: Json): [string, Json][] {
  const post = asObject(documented?.['post']);
  if (documented === undefined) return [];
  const { 200: result, ...rest } = asObject(operation['responses']);
  const responses = { ...asObject(post['responses']), ...rest, ...(result !== undefined && { 200: result }) };
  return [
    [path, { post: { ...post, ...operation, parameters: [...query, ...withoutPath(post['parameters'])], responses } }],
  ];
}

function withoutPath(parameters: unknown): readonly unknown[] {
  return Array.isArray(parameters) ? parameters.filter((parameter) => asObject(parameter)['in'] !== 'path') : [];
}

function queryParameters(schema: z.ZodObject): readonly Json[] {
  const { properties = {} } = jsonSchemaOf(schema, 'input');
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...type } = asObject(property);
    return { name, in: 'query', required: false, ...(description !== undefined && { description }), schema: type };
  });
}

function oneOperation(domain: AnyDomain): Json {
  const { name, summary, input, output, examples } = domain;
  // The page shows the first one, and people have a file.
  const content = { ...fileContent(domain, 'one'), ...jsonContent(input, examples[0]), ...formContent(domain) };
  return { tags: [name], summary, requestBody: { required: true, content }, responses: ok(output, 'The result') };
}

function manyOperation(domain: AnyDomain): Json {
  const { name, summary, input, output, examples } = domain;
  const batch = z.strictObject({ instances: z.array(input).min(1).max(mostInstances) });
  const [example] = examples;
  const content = { ...jsonContent(batch, { instances: [example, example] }), ...fileContent(domain, 'many') };
  return {
    tags: [name],
    summary: `${summary} Many at once`,
    description: `Up to ${mostInstances} instances. The predictions have the order of the instances.`,
    requestBody: { required: true, content },
    responses: ok(z.object({ predictions: z.array(output) }), 'The results'),
  };
}

function taskOperation(domain: AnyDomain): Json {
  const { name, summary, input, examples } = domain;
  const either = z.union([input, z.strictObject({ instances: z.array(input).min(1).max(mostInstances) })]);
  const content = { ...jsonContent(either, examples[0]), ...formContent(domain), ...fileContent(domain, 'many') };
  return {
    tags: [name],
    summary: `${summary} In the background`,
    description: 'Takes what predict or predict/batch takes, and answers where the result will be.',
    requestBody: { required: true, content },
  };
}

function ok(schema: z.ZodType, description: string): Json {
  return { 200: { description, content: { 'application/json': { schema: jsonSchemaOf(schema, 'output') } } } };
}

function jsonContent(schema: z.ZodType, example: unknown): Json {
  return { 'application/json': { schema: jsonSchemaOf(schema, 'input'), example } };
}

function formContent({ form, input }: AnyDomain): Json {
  return form === true ? { 'application/x-www-form-urlencoded': { schema: jsonSchemaOf(input, 'input') } } : {};
}

function fileContent({ file }: AnyDomain, shape: 'one' | 'many'): Json {
  if (file === undefined) return {};
  const binary = { type: 'string', format: 'binary' };
  const field = shape === 'one' ? binary : { type: 'array', items: binary };
  const schema = { type: 'object', properties: { [file.field]: field }, required: [file.field] };
  const raw = Object.fromEntries(file.mediaTypes.map((type) => [type, { schema: binary }]));
  return { 'multipart/form-data': { schema }, ...(shape === 'one' ? raw : {}) };
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
