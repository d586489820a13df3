import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../../helpers/folder.ts';
import { startReadyServer, type TestServer } from '../../../helpers/server.ts';

/** A server of copies of fixture models, and whatever else is to stand in its repository. */
export async function serveFixtures(
  names: readonly string[],
  { files = {}, settings = {} }: { files?: Record<string, string>; settings?: Record<string, string> } = {},
): Promise<TestServer & { readonly modelsDir: string }> {
  const folder = await temporaryFolder();
  for (const name of names) await cp(fixture(name), join(folder.path, `${name}.onnx`));
  for (const [path, content] of Object.entries(files)) await writeFile(join(folder.path, path), content);
  const server = await startReadyServer({ MODELS_DIR: folder.path, ...settings }, []);
  const stop = async () => {
    await server.stop();
    await folder[Symbol.asyncDispose]();
  };
  return { ...server, modelsDir: folder.path, stop, [Symbol.asyncDispose]: stop };
}

export const fixture = (name: string) => new URL(`../../../fixtures/models/${name}.onnx`, import.meta.url).pathname;

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON, or what stands before the binary part. */
  readonly json: InferReply;
  /** The section of each output that is binary, by its name. */
  readonly sections: Readonly<Record<string, Uint8Array>>;
}

export interface InferReply {
  readonly error?: string;
  readonly id?: string;
  readonly model_name?: string;
  readonly model_version?: string;
  readonly outputs?: readonly OutputTensor[];
}

export interface OutputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data?: readonly unknown[];
  readonly parameters?: { readonly binary_data_size: number };
}

/** JSON and, behind it, binary sections, with the header that says where they begin. */
export function binaryBody(json: unknown, ...sections: readonly Uint8Array[]) {
  const text = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  const headers = { 'inference-header-content-length': String(text.byteLength) };
  return { headers, body: new Uint8Array(Buffer.concat([text, ...sections])) };
}

export async function post(
  address: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const response = await fetch(address + path, {
    method: 'POST',
    headers,
    ...(body !== undefined && {
      body: body instanceof Uint8Array ? new Uint8Array(body) : typeof body === 'string' ? body : JSON.stringify(body),
    }),
  });
  return readReply(response);
}

async function readReply(response: Response): Promise<Reply> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const { status, headers } = response;
  const jsonBytes = Number(headers.get('inference-header-content-length') ?? bytes.byteLength);
  const json: InferReply = jsonBytes === 0 ? {} : JSON.parse(bytes.toString('utf8', 0, jsonBytes));
  const sections: Record<string, Uint8Array> = {};
  let offset = jsonBytes;
  for (const { name, parameters } of json.outputs ?? []) {
    if (parameters === undefined) continue;
    sections[name] = new Uint8Array(bytes.subarray(offset, offset + parameters.binary_data_size));
    offset += parameters.binary_data_size;
  }
  if (offset !== bytes.byteLength) throw new Error(`${bytes.byteLength - offset} bytes are left over`);
  return { status, headers, json, sections };
}

export async function get(address: string, path: string) {
  const response = await fetch(address + path);
  return { status: response.status, headers: response.headers, json: await response.json() };
}

/** The bytes of a typed array. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Texts as the binary extension has them: each after its length in four bytes. */
export function textBytes(...texts: readonly string[]): Uint8Array {
  const parts = texts.map((text) => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.byteLength);
    return Buffer.concat([length, bytes]);
  });
  return new Uint8Array(Buffer.concat(parts));
}
