import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestServer } from '../../../helpers/server.ts';
import { binaryBody, bytesOf, post, serveFixtures, textBytes } from './client.ts';

let server: TestServer;

beforeAll(async () => {
  server = await serveFixtures(['every_type', 'scalar', 'copy', 'two_inputs', 'sequence_beside']);
});

afterAll(() => server.stop());

/** Two rows of each type: the JSON of the elements, and their bytes. */
const types: [name: string, datatype: string, json: string, bytes: Uint8Array][] = [
  ['bool', 'BOOL', '[true,false,false,true]', Uint8Array.of(1, 0, 0, 1)],
  ['uint8', 'UINT8', '[0,1,254,255]', Uint8Array.of(0, 1, 254, 255)],
  ['uint16', 'UINT16', '[0,1,2,65535]', bytesOf(Uint16Array.of(0, 1, 2, 65535))],
  ['uint32', 'UINT32', '[0,1,2,4294967295]', bytesOf(Uint32Array.of(0, 1, 2, 4294967295))],
  [
    'uint64',
    'UINT64',
    '[0,1,9007199254740993,18446744073709551615]',
    bytesOf(BigUint64Array.of(0n, 1n, 9007199254740993n, 18446744073709551615n)),
  ],
  ['int8', 'INT8', '[-128,-1,0,127]', bytesOf(Int8Array.of(-128, -1, 0, 127))],
  ['int16', 'INT16', '[-32768,-1,0,32767]', bytesOf(Int16Array.of(-32768, -1, 0, 32767))],
  ['int32', 'INT32', '[-2147483648,-1,0,2147483647]', bytesOf(Int32Array.of(-2147483648, -1, 0, 2147483647))],
  [
    'int64',
    'INT64',
    '[-9223372036854775808,-1,0,9223372036854775807]',
    bytesOf(BigInt64Array.of(-9223372036854775808n, -1n, 0n, 9223372036854775807n)),
  ],
  ['fp16', 'FP16', '[0.5,-0.0,65504,"NaN"]', bytesOf(Float16Array.of(0.5, -0, 65504, Number.NaN))],
  ['fp32', 'FP32', '[0.5,-0.0,"Infinity","-Infinity"]', bytesOf(Float32Array.of(0.5, -0, Infinity, -Infinity))],
  ['fp64', 'FP64', '[0.1,-0.0,1e+308,"NaN"]', bytesOf(Float64Array.of(0.1, -0, 1e308, Number.NaN))],
  ['bytes', 'BYTES', '["","a","안녕","🌸"]', textBytes('', 'a', '안녕', '🌸')],
];

const shape = [2, 2];
const path = '/v2/models/every_type/infer';
const binaryInput = ([name, datatype, , bytes]: (typeof types)[number]) => ({
  name,
  shape,
  datatype,
  parameters: { binary_data_size: bytes.byteLength },
});
const sections = types.map(([, , , bytes]) => bytes);

/** The text of the data of an output: parsing it would round its integers. */
async function dataOf(response: Response, name: string): Promise<string | undefined> {
  const text = await response.text();
  return new RegExp(`"name":"${name}_out","datatype":"\\w+","shape":\\[2,2\\],"data":(\\[.*?\\])[,}]`).exec(text)?.[1];
}

describe('every data type', () => {
  it.each(types)('%s comes back from JSON as the same JSON, and from bytes as that JSON', async (name, _, json) => {
    const inputs = types.map(
      ([input, datatype, data]) =>
        `{"name":"${input}","shape":[2,2],"datatype":"${datatype}","data":${data.replace('1e+308', '1e308')}}`,
    );
    const wanted = `"outputs":[{"name":"${name}_out"}]`;
    const asJson = await fetch(server.address + path, {
      method: 'POST',
      body: `{"inputs":[${inputs.join()}],${wanted}}`,
    });
    expect(asJson.status).toBe(200);
    expect(await dataOf(asJson, name)).toBe(json);

    const { headers, body } = binaryBody(
      { inputs: types.map(binaryInput), outputs: [{ name: `${name}_out` }] },
      ...sections,
    );
    const asBytes = await fetch(server.address + path, { method: 'POST', headers, body });
    expect(await dataOf(asBytes, name)).toBe(json);
  });

  it('comes back from bytes as the same bytes', async () => {
    const request = { inputs: types.map(binaryInput), parameters: { binary_data_output: true } };
    const { headers, body } = binaryBody(request, ...sections);
    const reply = await post(server.address, path, body, headers);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('application/octet-stream');
    for (const [name, datatype, , bytes] of types) {
      expect(reply.json.outputs).toContainEqual({
        name: `${name}_out`,
        datatype,
        shape,
        parameters: { binary_data_size: bytes.byteLength },
      });
      expect(reply.sections[`${name}_out`], name).toEqual(bytes);
    }
  });

  it('may be mixed: an input in JSON between binary ones', async () => {
    const [first, ...rest] = types;
    const inputs = [
      ...rest.map(binaryInput).slice(0, 4),
      {
        name: 'bool',
        shape,
        datatype: 'BOOL',
        data: [
          [true, false],
          [false, true],
        ],
      },
      ...rest.map(binaryInput).slice(4),
    ];
    const outputs = [
      { name: 'fp32_out', parameters: { binary_data: true } },
      { name: 'bool_out' },
      { name: 'uint8_out', parameters: { binary_data: true } },
    ];
    const { headers, body } = binaryBody({ inputs, outputs }, ...sections.slice(1));
    const reply = await post(server.address, path, body, headers);
    expect(reply.json.outputs?.map(({ name }) => name)).toEqual(['fp32_out', 'bool_out', 'uint8_out']);
    expect(reply.sections['fp32_out']).toEqual(types.find(([name]) => name === 'fp32')?.[3]);
    expect(reply.sections['uint8_out']).toEqual(Uint8Array.of(0, 1, 254, 255));
    expect(reply.json.outputs?.[1]?.data).toEqual(JSON.parse(first?.[2] ?? ''));
  });
});

describe('shapes', () => {
  it.each([
    { shape: [], data: [2.5], out: [2.5] },
    { shape: [], data: 2.5, out: [2.5] },
  ])('takes the scalar $data', async ({ shape, data, out }) => {
    const inputs = [{ name: 'x', shape, datatype: 'FP32', data }];
    const reply = await post(server.address, '/v2/models/scalar/infer', { inputs });
    expect(reply.json.outputs).toEqual([{ name: 'y', datatype: 'FP32', shape: [], data: out }]);
  });

  it('takes tensors without elements, in JSON and in bytes', async () => {
    for (const shape of [
      [0, 3],
      [2, 0],
    ]) {
      const asJson = { inputs: [{ name: 'x', shape, datatype: 'FP32', data: [] }] };
      const reply = await post(server.address, '/v2/models/copy/infer', asJson);
      expect(reply.json.outputs).toEqual([{ name: 'y', datatype: 'FP32', shape, data: [] }]);

      const input = { name: 'x', shape, datatype: 'FP32', parameters: { binary_data_size: 0 } };
      const binary = binaryBody({ inputs: [input], parameters: { binary_data_output: true } });
      const answer = await post(server.address, '/v2/models/copy/infer', binary.body, binary.headers);
      expect(answer.json.outputs).toEqual([
        { name: 'y', datatype: 'FP32', shape, parameters: { binary_data_size: 0 } },
      ]);
      // Nothing follows the JSON, so it is all of the body.
      expect(answer.headers.get('inference-header-content-length')).toBeNull();
      expect(answer.headers.get('content-type')).toBe('application/json');
    }
  });

  it('reads a large tensor bit by bit, wherever its section begins', async () => {
    const values = Float32Array.from({ length: 150_000 }, (_, index) => Math.fround(Math.sin(index) * 1e3));
    for (const id of ['', 'a', 'ab', 'abc']) {
      const parameters = { binary_data_size: values.byteLength };
      const inputs = [{ name: 'x', shape: [1, values.length], datatype: 'FP32', parameters }];
      const request = { id, inputs, parameters: { binary_data_output: true } };
      const { headers, body } = binaryBody(request, bytesOf(values));
      const reply = await post(server.address, '/v2/models/copy/infer', body, headers);
      expect(reply.json.id).toBe(id);
      expect(Buffer.compare(reply.sections['y'] ?? Buffer.alloc(0), bytesOf(values))).toBe(0);
    }
  });
});

describe('outputs', () => {
  const inputs = [
    { name: 'a', shape: [1, 2], datatype: 'FP32', data: [3, 5] },
    { name: 'b', shape: [1, 2], datatype: 'FP32', data: [1, 2] },
  ];
  const ask = (request: object) => post(server.address, '/v2/models/two_inputs/infer', { inputs, ...request });
  const sum = { name: 'sum', datatype: 'FP32', shape: [1, 2] };
  const difference = { ...sum, name: 'difference' };

  it('are all there are, unless some are asked for', async () => {
    const all = [
      { ...sum, data: [4, 7] },
      { ...difference, data: [2, 3] },
    ];
    expect((await ask({})).json).toEqual({ model_name: 'two_inputs', model_version: '1', outputs: all });
    expect((await ask({ outputs: [] })).json.outputs).toEqual(all);
  });

  it('are those asked for, in that order', async () => {
    const reply = await ask({ id: 'mine', outputs: [{ name: 'difference' }, { name: 'sum' }] });
    expect(reply.json).toMatchObject({ id: 'mine', outputs: [{ name: 'difference' }, { name: 'sum' }] });
  });

  it('are binary as the request says, unless the output says otherwise', async () => {
    const parameters = { binary_data_output: true };
    const size = { parameters: { binary_data_size: 8 } };
    expect((await ask({ parameters })).json.outputs).toEqual([
      { ...sum, ...size },
      { ...difference, ...size },
    ]);
    const outputs = [{ name: 'sum' }, { name: 'difference', parameters: { binary_data: false } }];
    expect((await ask({ parameters, outputs })).json.outputs).toEqual([
      { ...sum, ...size },
      { ...difference, data: [2, 3] },
    ]);
    const reply = await ask({ outputs: [{ name: 'sum', parameters: { binary_data: true } }] });
    expect(reply.sections['sum']).toEqual(bytesOf(Float32Array.of(4, 7)));
  });

  it('that cannot be served are refused by name, and left out where all are wanted', async () => {
    const x = [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [3, 5] }];
    const path = '/v2/models/sequence_beside/infer';
    const all = await post(server.address, path, { inputs: x });
    expect(all.json.outputs?.map(({ name }) => name)).toEqual(['y']);
    const reply = await post(server.address, path, { inputs: x, outputs: [{ name: 'list' }] });
    expect(reply.status).toBe(400);
    expect(reply.json.error).toMatch(/no output "list" that can be served; it gives "y"/);
  });
});
