import type { WireTensor } from './cases.ts';
import { bytesOf, jsonOf, parseExactly } from './elements.ts';

/** What inferd answers. */
export type Reply =
  | { readonly ok: true; readonly outputs: readonly WireTensor[] }
  | { readonly ok: false; readonly status: number; readonly error: string };

interface Output {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters?: { readonly binary_data_size: number };
  readonly data?: readonly unknown[];
}

const lengthHeader = 'inference-header-content-length';

/** The calls of the Open Inference Protocol that these tests make. */
export class Client {
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
  }

  /** Loads a model; the reply has no outputs. */
  load(model: string): Promise<Reply> {
    return this.#change(model, 'load');
  }

  unload(model: string): Promise<Reply> {
    return this.#change(model, 'unload');
  }

  async index(): Promise<readonly { name: string; state?: string; reason?: string }[]> {
    const response = await this.#post('/v2/repository/index', '');
    return (await response.json()) as readonly { name: string }[];
  }

  /** Names of the models whose requests share runs. */
  async joined(): Promise<readonly string[]> {
    const response = await fetch(new URL('/models', this.#address));
    const { models } = (await response.json()) as {
      models: readonly { name: string; versions: readonly { independent_rows?: boolean }[] }[];
    };
    return models
      .filter(({ versions }) => versions.some((version) => version.independent_rows === true))
      .map(({ name }) => name);
  }

  async inferBinary(model: string, inputs: readonly WireTensor[]): Promise<Reply> {
    const sections = inputs.map(({ base64 }) => Buffer.from(base64, 'base64'));
    const json = JSON.stringify({
      inputs: inputs.map(({ name, datatype, shape }, index) => ({
        name,
        datatype,
        shape,
        parameters: { binary_data_size: sections[index]?.byteLength },
      })),
      parameters: { binary_data_output: true },
    });
    const length = String(Buffer.byteLength(json));
    return this.#infer(model, Buffer.concat([Buffer.from(json), ...sections]), { [lengthHeader]: length });
  }

  async inferJson(model: string, inputs: readonly WireTensor[]): Promise<Reply> {
    const tensors = inputs.map(({ name, datatype, shape, base64 }) => {
      const header = JSON.stringify({ name, datatype, shape });
      return `${header.slice(0, -1)},"data":${jsonOf(datatype, Buffer.from(base64, 'base64'))}}`;
    });
    return this.#infer(model, `{"inputs":[${tensors.join()}]}`, {});
  }

  async #change(model: string, action: 'load' | 'unload'): Promise<Reply> {
    const response = await this.#post(`/v2/repository/models/${model}/${action}`, '');
    return response.status === 200 ? { ok: true, outputs: [] } : refusal(response);
  }

  async #infer(model: string, body: string | Buffer, headers: Record<string, string>): Promise<Reply> {
    const response = await this.#post(`/v2/models/${model}/infer`, body, headers);
    if (response.status !== 200) return refusal(response);
    const bytes = Buffer.from(await response.arrayBuffer());
    const jsonBytes = Number(response.headers.get(lengthHeader) ?? bytes.byteLength);
    const { outputs } = parseExactly(bytes.toString('utf8', 0, jsonBytes)) as { outputs: readonly Output[] };
    let offset = jsonBytes;
    const tensors = outputs.map(({ name, datatype, shape, parameters, data }) => {
      const start = offset;
      offset += parameters?.binary_data_size ?? 0;
      const section = data === undefined ? bytes.subarray(start, offset) : bytesOf(datatype, data);
      return { name, datatype, shape, base64: section.toString('base64') };
    });
    return { ok: true, outputs: tensors };
  }

  #post(path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.#address + path, {
      method: 'POST',
      body: typeof body === 'string' ? body : new Uint8Array(body),
      headers,
    });
  }
}

async function refusal(response: Response): Promise<Reply> {
  const text = await response.text();
  const parsed: unknown = JSON.parse(text);
  const error = typeof parsed === 'object' && parsed !== null && 'error' in parsed ? String(parsed.error) : '';
  return { ok: false, status: response.status, error };
}
