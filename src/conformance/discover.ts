import { isDataType } from '../tensor/data-type.ts';
import type { TensorSpec } from '../tensor/tensor.ts';
import type { HttpClient } from './http-client.ts';
import { encodeJson, type Inputs, jsonRequest } from './infer-request.ts';
import { isObject, isStringList, readJson } from './json.ts';
import { type Fill, makeTensor } from './make-tensor.ts';
import { type Example, type ModelUnderTest, modelPath } from './model-under-test.ts';
import type { ServerUnderTest } from './server-under-test.ts';

const fills: readonly Fill[] = ['zeros', 'ones', 'random'];
const freeSizes = [1, 2, 3];

/** What the server says about itself; discovery takes what it can get, and leaves the verdict to the checks. */
export async function discoverServer(http: HttpClient, mayControl: boolean): Promise<ServerUnderTest> {
  const { body } = await http.send({ method: 'GET', path: '/v2' });
  const metadata = parse(body);
  const extensions = isObject(metadata) && isStringList(metadata['extensions']) ? metadata['extensions'] : [];
  return { http, extensions: new Set(extensions), mayControl };
}

/** Names of the models that are ready, by the index of the repository; else by the list that KServe has. */
export async function discoverModels(http: HttpClient): Promise<readonly string[]> {
  const headers = { 'content-type': 'application/json' };
  const index = await http.send({ method: 'POST', path: '/v2/repository/index', headers, body: '{"ready":true}' });
  const entries = index.status === 200 ? parse(index.body) : undefined;
  if (Array.isArray(entries)) {
    const ready = entries.filter((entry) => isObject(entry) && (entry['state'] ?? 'READY') === 'READY');
    return [...new Set(ready.map(({ name }) => String(name)))];
  }
  const list = await http.send({ method: 'GET', path: '/v2/models' });
  const names = list.status === 200 ? parse(list.body) : undefined;
  return isObject(names) && isStringList(names['models']) ? names['models'] : [];
}

/** Reads the metadata of a model, and tries requests that are made from it. */
export async function discoverModel(server: ServerUnderTest, name: string, seed: number): Promise<ModelUnderTest> {
  const { body } = await server.http.send({ method: 'GET', path: modelPath(name) });
  const metadata = parse(body);
  const { versions, inputs: given, outputs } = isObject(metadata) ? metadata : {};
  const inputs = readSpecs(given);
  const known = { server, name, versions: isStringList(versions) ? versions : [], outputs: readSpecs(outputs) ?? [] };
  if (inputs === undefined || inputs.length === 0) {
    const problem = 'the metadata does not describe inputs of data types that are known here';
    return { ...known, inputs: [], problem, examples: [] };
  }
  const examples: Example[] = [];
  for (const freeSize of inputs.some(({ shape }) => shape.includes(-1)) ? freeSizes : [1]) {
    for (const fill of fills) {
      const tensors: Inputs = new Map(inputs.map((spec) => [spec.name, makeTensor(spec, { fill, freeSize, seed })]));
      const reply = await server.http.send({
        method: 'POST',
        path: `${modelPath(name)}/infer`,
        ...encodeJson(jsonRequest(tensors)),
      });
      examples.push({ inputs: tensors, reply });
    }
  }
  return { ...known, inputs, problem: undefined, examples };
}

/** Tensors of metadata; undefined when one is malformed or of another data type. */
function readSpecs(value: unknown): TensorSpec[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const specs: TensorSpec[] = [];
  for (const entry of value) {
    if (!isObject(entry)) return undefined;
    const { name, datatype, shape } = entry;
    if (typeof name !== 'string' || typeof datatype !== 'string' || !isDataType(datatype)) return undefined;
    if (!Array.isArray(shape) || !shape.every((size) => Number.isInteger(size))) return undefined;
    specs.push({ name, datatype, shape });
  }
  return specs;
}

function parse(body: Uint8Array): unknown {
  try {
    return readJson(body);
  } catch {
    return undefined;
  }
}
