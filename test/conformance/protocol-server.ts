import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { splitSections, tensorFromBytes, tensorToBytes } from '../../src/tensor/binary-codec.ts';
import { checkSignature } from '../../src/tensor/check-signature.ts';
import { classify } from '../../src/tensor/classification.ts';
import { tensorFromJson } from '../../src/tensor/json/json-codec.ts';
import { tensorToJson } from '../../src/tensor/json/json-output.ts';
import { parseJson } from '../../src/tensor/json/parse-json.ts';
import { float32, type Signature, type Tensor, type Tensors, text } from '../../src/tensor/tensor.ts';

// A second server of the protocol, on bare node:http: correct, and small enough to be seen through. It is over 200 lines
// because it has the whole protocol; faults are put in from outside, by rewriting requests and replies.

/** A request as it came. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What stands between the network and the server. */
export interface Middle {
  readonly request?: (request: Seen) => Seen;
  readonly reply?: (reply: Answer, request: Seen) => Answer;
}

export interface ProtocolServer extends AsyncDisposable {
  readonly address: URL;
}

/** Starts it on a free port. */
export async function startProtocolServer(middle: Middle = {}): Promise<ProtocolServer> {
  const protocol = new Protocol();
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { method = '', url = '', headers } = incoming;
    const came = { method, path: url, headers, body: Buffer.concat(chunks) };
    const seen = middle.request?.(came) ?? came;
    const answer = protocol.answer(seen);
    const { status, headers: sent, body } = middle.reply?.(answer, seen) ?? answer;
    outgoing.writeHead(status, sent).end(method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => void server.close(() => resolve()));
  return { address: new URL(`http://127.0.0.1:${port}`), [Symbol.asyncDispose]: close };
}

export function json(status: number, body: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(body)) };
}

interface Asked {
  readonly id?: string;
  readonly parameters?: { readonly binary_data_output?: boolean };
  readonly inputs: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape: readonly number[];
    readonly parameters?: { readonly binary_data_size?: number };
    readonly data?: unknown;
  }[];
  readonly outputs?: readonly {
    readonly name: string;
    readonly parameters?: { readonly binary_data?: boolean; readonly classification?: number };
  }[];
}

interface Model extends Signature {
  readonly run: (inputs: Tensors) => Record<string, Tensor>;
}

const numbers = (tensor: Tensor | undefined) => Array.from(tensor?.data ?? [], Number);

/** One has two inputs and two outputs, the other takes raw requests. */
const models: Record<string, Model> = {
  pair: {
    inputs: [
      { name: 'b', datatype: 'INT32', shape: [-1, 3] },
      { name: 'a', datatype: 'FP32', shape: [-1, 3] },
    ],
    outputs: [
      { name: 'scores', datatype: 'FP32', shape: [-1, 3] },
      { name: 'note', datatype: 'BYTES', shape: [-1] },
    ],
    run({ a, b }) {
      const shape = a?.shape ?? [];
      const addends = numbers(b);
      const scores = numbers(a).map((value, index) => 2 * value + (addends[index] ?? 0) + index / 8);
      const notes = Array.from({ length: shape[0] ?? 0 }, (_, row) => `row ${row}: ${scores[3 * row]}`);
      return { scores: float32(shape, scores), note: text([notes.length], notes) };
    },
  },
  single: {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 3] }],
    run: ({ x }) => ({
      y: float32(
        x?.shape ?? [],
        numbers(x).map((value, index) => value + (index % 5)),
      ),
    }),
  },
};

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const lengthHeader = 'inference-header-content-length';
const extensions = [
  'binary_tensor_data',
  'classification',
  'model_configuration',
  'model_repository',
  'schedule_policy',
  'statistics',
];

class Protocol {
  readonly #unloaded = new Set<string>();
  /** The rows of each request, by model. */
  readonly #served = new Map<string, number[]>();

  answer(request: Seen): Answer {
    try {
      return this.#route(request);
    } catch (error) {
      const { message } = error as Error;
      return json(error instanceof Refusal ? error.status : 400, { error: message });
    }
  }

  #route(request: Seen): Answer {
    const { path, body } = request;
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const [, model = '', version, action = ''] =
      /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(?:\/(\w+))?$/.exec(path) ?? [];
    if (path === '/v2/models/stats')
      return json(200, { model_stats: Object.keys(models).map((name) => this.#stats(name)) });
    if (path === '/v2') return json(200, { name: 'test', version: '1', extensions });
    if (path === '/v2/health/live' || path === '/v2/health/ready') {
      if (method !== 'GET') return { ...json(405, { error: 'GET only' }), headers: { allow: 'GET, HEAD' } };
      return json(200, { live: true, ready: true });
    }
    if (path === '/v2/repository/index') return this.#index(body);
    const [, ordered, order] = /^\/v2\/repository\/models\/([^/]+)\/(load|unload)$/.exec(path) ?? [];
    if (ordered !== undefined) {
      if (models[ordered] === undefined) throw new Refusal(404, 'no such model');
      if (order === 'load') this.#unloaded.delete(ordered);
      else this.#unloaded.add(ordered);
      return { status: 200, headers: {}, body: Buffer.alloc(0) };
    }
    const found = models[decodeURIComponent(model)];
    if (found === undefined) throw new Refusal(404, 'not found');
    if (version !== undefined && version !== '1') throw new Refusal(404, 'no such version');
    if (this.#unloaded.has(model)) throw new Refusal(404, 'the model is not loaded');
    if (action === 'infer' && method !== 'POST') {
      return { ...json(405, { error: 'POST only' }), headers: { allow: 'POST' } };
    }
    if (action === 'infer') return compressed(this.#infer(model, found, request), request);
    const { inputs, outputs } = found;
    if (action === '') return json(200, { name: model, versions: ['1'], platform: 'test', inputs, outputs });
    if (action === 'ready') return json(200, { name: model, ready: true });
    if (action === 'config') return json(200, { name: model });
    if (action === 'stats') return json(200, { model_stats: [this.#stats(model)] });
    throw new Refusal(404, 'not found');
  }

  #index(body: Buffer): Answer {
    const onlyReady = body.byteLength > 0 && JSON.parse(body.toString()).ready === true;
    const entries = [...Object.keys(models), 'idle'].map((name) => {
      const isReady = models[name] !== undefined && !this.#unloaded.has(name);
      return { name, version: '1', state: isReady ? 'READY' : 'UNAVAILABLE', reason: isReady ? '' : 'unloaded' };
    });
    return json(
      200,
      entries.filter(({ state }) => !onlyReady || state === 'READY'),
    );
  }

  #stats(name: string) {
    const served = this.#served.get(name) ?? [];
    const tookOf = (count: number) => ({ count, ns: count * 1000 });
    const computeOf = (count: number) => {
      const took = tookOf(count);
      return { compute_input: took, compute_infer: took, compute_output: took };
    };
    const took = tookOf(served.length);
    const sizes = Map.groupBy(served, (rows) => rows);
    return {
      name,
      version: '1',
      last_inference: served.length === 0 ? 0 : Date.now(),
      inference_count: served.reduce((sum, rows) => sum + rows, 0),
      execution_count: served.length,
      inference_stats: { success: took, fail: tookOf(0), queue: took, ...computeOf(served.length) },
      batch_stats: [...sizes].map(([rows, { length }]) => ({ batch_size: rows, ...computeOf(length) })),
    };
  }

  #infer(name: string, model: Model, request: Seen): Answer {
    const { body, length } = decompress(request);
    const { asked, inputs } = length === 0 ? readRaw(model, body) : readBody(body, length ?? body.byteLength);
    checkSignature(model, inputs);
    const outputs = model.run(inputs);
    const rows = Object.values(inputs)[0]?.shape[0] ?? 0;
    const wanted: NonNullable<Asked['outputs']> =
      asked.outputs ?? model.outputs.map((output) => ({ name: output.name }));
    const sections: Uint8Array[] = [];
    const described = wanted.map(({ name: output, parameters = {} }) => {
      const whole = outputs[output];
      if (whole === undefined) throw new Refusal(400, `no output ${output}`);
      const top = parameters.classification;
      const tensor = top === undefined ? whole : classify(whole, output, { top, batched: true });
      const { datatype, shape } = tensor;
      const isBinary = parameters.binary_data ?? asked.parameters?.binary_data_output ?? false;
      if (!isBinary) return { name: output, datatype, shape, data: tensorToJson(tensor) };
      const section = tensorToBytes(tensor);
      sections.push(section);
      return { name: output, datatype, shape, parameters: { binary_data_size: section.byteLength } };
    });
    this.#served.set(name, [...(this.#served.get(name) ?? []), rows]);
    const { id } = asked;
    const answer = json(200, {
      ...(id !== undefined && { id }),
      model_name: name,
      model_version: '1',
      outputs: described,
    });
    if (sections.length === 0) return answer;
    const headers = { 'content-type': 'application/octet-stream', [lengthHeader]: String(answer.body.byteLength) };
    return { status: 200, headers, body: Buffer.concat([answer.body, ...sections]) };
  }
}

function readBody(body: Buffer, length: number) {
  const asked = parseJson(body.subarray(0, length)) as Asked;
  const sizes = asked.inputs.flatMap((input) => {
    const byteSize = input.parameters?.binary_data_size;
    if ((input.data === undefined) === (byteSize === undefined)) throw new Refusal(400, 'data or binary_data_size');
    return byteSize === undefined ? [] : [{ name: input.name, byteSize }];
  });
  const sections = splitSections(body.subarray(length), sizes);
  const inputs: Record<string, Tensor> = {};
  for (const { name, datatype, shape, data } of asked.inputs) {
    if (inputs[name] !== undefined) throw new Refusal(400, `${name} came twice`);
    const section = data === undefined ? sections.shift() : undefined;
    const header = { datatype, shape };
    inputs[name] =
      section === undefined ? tensorFromJson({ ...header, data }, name) : tensorFromBytes({ ...header, section }, name);
  }
  if (asked.outputs !== undefined && !Array.isArray(asked.outputs)) throw new Refusal(400, 'outputs is no list');
  return { asked, inputs };
}

function readRaw({ inputs: [input, ...others] }: Model, section: Buffer) {
  if (input === undefined || others.length > 0) throw new Refusal(400, 'raw requests need one input');
  const shape = [section.byteLength / 12, 3];
  const inputs = { [input.name]: tensorFromBytes({ datatype: input.datatype, shape, section }, input.name) };
  const asked: Asked = { inputs: [], parameters: { binary_data_output: true } };
  return { asked, inputs };
}

function decompress({ headers, body }: Seen): { body: Buffer; length: number | undefined } {
  const coding = headers['content-encoding'] ?? 'identity';
  if (!['identity', 'gzip', 'deflate'].includes(coding)) throw new Refusal(415, `unknown coding ${coding}`);
  const plain = coding === 'gzip' ? gunzipSync(body) : coding === 'deflate' ? inflateSync(body) : body;
  const header = headers[lengthHeader];
  const length = header === undefined ? undefined : Number(header);
  if (length !== undefined && !(Number.isInteger(length) && length >= 0 && length <= plain.byteLength)) {
    throw new Refusal(400, `${lengthHeader} is ${header}`);
  }
  return { body: plain, length };
}

function compressed(answer: Answer, { headers }: Seen): Answer {
  const accepted = headers['accept-encoding'];
  if (accepted !== 'gzip' && accepted !== 'deflate') return answer;
  const body = accepted === 'gzip' ? gzipSync(answer.body) : deflateSync(answer.body);
  return { ...answer, headers: { ...answer.headers, 'content-encoding': accepted }, body };
}
