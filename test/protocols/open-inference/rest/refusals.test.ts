import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestServer } from '../../../helpers/server.ts';
import { binaryBody, bytesOf, post, serveFixtures, textBytes } from './client.ts';

let server: TestServer;

beforeAll(async () => {
  server = await serveFixtures(['copy', 'two_inputs', 'strings', 'bools', 'gather', 'hangs', 'broken'], {
    settings: { BODY_LIMIT_BYTES: '100000' },
  });
});

afterAll(() => server.stop());

const path = '/v2/models/copy/infer';
const x = { name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] };
const { data: _, ...header } = x;
const binary = (size: unknown) => ({ ...header, parameters: { binary_data_size: size } });
const y = (parameters: object) => ({ inputs: [x], outputs: [{ name: 'y', parameters }] });
const nested = (levels: number) => `{"inputs":[],"x":${'['.repeat(levels)}${']'.repeat(levels)}}`;

describe('JSON that is refused with 400', () => {
  const table: [body: unknown, reason: RegExp][] = [
    ['', /body is empty/],
    ['{', /not valid JSON/],
    ['null', /the request: expected an object, received null/],
    ['[]', /the request: expected an object, received a list/],
    ['{}', /inputs: expected a list, received missing/],
    [nested(100), /more than 100 levels of nesting/],
    [{ inputs: {} }, /inputs: expected a list, received an object/],
    [{ inputs: [7] }, /inputs\[0\]: expected an object, received 7/],
    [{ inputs: [x], id: 7 }, /id: expected a text, received 7/],
    [{ inputs: [x], parameters: [] }, /parameters: expected an object/],
    [{ inputs: [x], parameters: { mine: {} } }, /parameters\.mine: expected a text, a number, true or false/],
    [{ inputs: [x], parameters: { headers: 'a' } }, /parameters\.headers: the name is reserved/],
    [{ inputs: [x], parameters: { triton_x: 1 } }, /parameters\.triton_x: the name is reserved/],
    [{ inputs: [x], parameters: { timeout: -1 } }, /parameters\.timeout: expected a whole number from 0, received -1/],
    [{ inputs: [x], parameters: { timeout: '5' } }, /parameters\.timeout: .* received "5"/],
    [{ inputs: [x], parameters: { priority: 1.5 } }, /parameters\.priority: .* received 1\.5/],
    [{ inputs: [x], parameters: { sequence_start: 1 } }, /parameters\.sequence_start: expected true or false/],
    [{ inputs: [x], parameters: { binary_data_output: 1 } }, /parameters\.binary_data_output: expected true or false/],
    [{ inputs: [{ ...x, name: undefined }] }, /inputs\[0\]\.name: expected a text, received missing/],
    [{ inputs: [{ ...x, datatype: 7 }] }, /inputs\[0\]\.datatype: expected a text/],
    [{ inputs: [{ ...x, datatype: 'BF16' }] }, /Input "x": the data type "BF16" is not supported/],
    [{ inputs: [{ ...x, shape: 2 }] }, /inputs\[0\]\.shape: expected a list/],
    [{ inputs: [{ ...x, shape: ['1', 2] }] }, /inputs\[0\]\.shape\[0\]: expected a whole number, received "1"/],
    [{ inputs: [{ ...x, shape: [-1, 2] }] }, /dimension 0 of the shape is -1/],
    [{ inputs: [{ ...x, shape: [1, 3] }] }, /data has 2 elements, the shape \[1, 3\] has 3/],
    ['{"inputs":[{"name":"x","datatype":"FP32","shape":[18446744073709551615],"data":[]}]}', /shape\[0\]: expected/],
    [{ inputs: [header] }, /either data or parameters\.binary_data_size, received neither/],
    [{ inputs: [{ ...x, ...binary(8) }] }, /either data or .*, received data and parameters\.binary_data_size/],
    [{ inputs: [binary(8)] }, /binary_data_size is 8, the body has 0 bytes left/],
    [{ inputs: [{ ...header, parameters: { shared_memory_region: 'a' } }] }, /shared memory is not supported/],
    [{ inputs: [x, x] }, /inputs: expected each name once, received "x" twice/],
    [{ inputs: [] }, /input "x" is missing; expected FP32 \[n,length\]/],
    [{ inputs: [x, { ...x, name: 'z' }] }, /no input "z"; the model takes "x"/],
    [{ inputs: [x, { ...x, name: '__proto__' }] }, /no input "__proto__"; the model takes "x"/],
    [{ inputs: [{ ...x, shape: [2] }] }, /input "x" has shape \[2\]; expected \[n,length\]/],
    [{ inputs: [{ ...x, datatype: 'FP64' }] }, /input "x" is of type FP64; expected FP32/],
    [{ inputs: [{ ...x, data: [1, '2'] }] }, /Input "x": element 1 is "2", not a number/],
    [{ inputs: [{ ...x, data: [1, 1e39] }] }, /element 1 is 1e\+39, outside of FP32/],
    [{ inputs: [x], outputs: {} }, /outputs: expected a list/],
    [{ inputs: [x], outputs: ['y'] }, /outputs\[0\]: expected an object, received "y"/],
    [{ inputs: [x], outputs: [{ name: 'z' }] }, /no output "z" that can be served; it gives "y"/],
    [{ inputs: [x], outputs: [{ name: 'y' }, { name: 'y' }] }, /outputs: expected each name once/],
    [y({ binary_data: 'yes' }), /outputs\[0\]\.parameters\.binary_data: expected true or false/],
    [y({ classification: 0 }), /classification: expected a whole number from 1, received 0/],
    [y({ shared_memory_region: 'a' }), /outputs\[0\]\.parameters\.shared_memory_region: shared memory/],
  ];

  it.each(table)('%.80j', async (body, reason) => {
    const reply = await post(server.address, path, body);
    expect(reply.json.error).toMatch(reason);
    expect(reply.status).toBe(400);
    // KServe's client reads no other type, not even with a charset.
    expect(reply.headers.get('content-type')).toBe('application/json');
  });

  it('but 100 levels of nesting are taken', async () => {
    const reply = await post(server.address, path, nested(99));
    expect(reply.json.error).toMatch(/input "x" is missing/);
  });
});

describe('binary bodies that are refused with 400', () => {
  const values = bytesOf(Float32Array.of(1, 2));
  const body = (sections: Uint8Array[], ...inputs: object[]) => binaryBody({ inputs }, ...sections);
  const withLength = (length: string) => ({ ...body([values], binary(8)), headers: headerOf(length) });
  const headerOf = (length: string) => ({ 'inference-header-content-length': length });
  const table: [what: string, sent: ReturnType<typeof binaryBody>, reason: RegExp, path?: string][] = [
    ['bytes are left over', body([values, values], binary(8)), /8 bytes after the last section/],
    ['a section ends too early', body([values.subarray(1)], binary(8)), /is 8, the body has 7 bytes left/],
    [
      'a size that the shape does not have',
      body([values.subarray(4)], binary(4)),
      /the section has 4 bytes, FP32 of shape \[1, 2\] has 8/,
    ],
    ['a negative size', body([values], binary(-8)), /binary_data_size: expected a whole number from 0, received -8/],
    ['a size in words', body([values], binary('8')), /binary_data_size: expected a whole number from 0, received "8"/],
    ['bytes behind JSON data', body([values], x), /8 bytes after the last section/],
    ['a JSON length that is no number', withLength('ten'), /expected a whole number from 0, received "ten"/],
    ['a negative JSON length', withLength('-1'), /expected a whole number from 0, received "-1"/],
    ['an endless JSON length', withLength('Infinity'), /expected a whole number from 0, received "Infinity"/],
    [
      'a JSON length beyond the body',
      withLength('1000'),
      /expected at most 1?\d\d, the length of the body, received 1000/,
    ],
    ['a JSON length within the JSON', withLength('10'), /not valid JSON/],
    [
      'a BOOL that is no bit',
      body([Uint8Array.of(0, 2)], { ...binary(2), datatype: 'BOOL', shape: [2] }),
      /element 1 is 2, not 0 or 1/,
      '/v2/models/bools/infer',
    ],
    [
      'texts that end too early',
      body([textBytes('ab').subarray(0, 5)], { ...binary(5), datatype: 'BYTES' }),
      /text 0 of 2 ends at byte 6, the section has 5 bytes/,
      '/v2/models/strings/infer',
    ],
  ];

  it.each(table)('%s', async (_what, { headers, body }, reason, url = path) => {
    const reply = await post(server.address, url, body, headers);
    expect(reply.json.error).toMatch(reason);
    expect(reply.status).toBe(400);
  });
});

describe('raw binary requests', () => {
  const raw = { 'inference-header-content-length': '0' };

  it('take the shape from the size', async () => {
    const reply = await post(server.address, path, bytesOf(Float32Array.of(1, 2, 3)), raw);
    expect(reply.json.outputs).toMatchObject([{ name: 'y', shape: [1, 3], parameters: { binary_data_size: 12 } }]);
    expect(reply.sections['y']).toEqual(bytesOf(Float32Array.of(1, 2, 3)));
    const bits = await post(server.address, '/v2/models/bools/infer', Uint8Array.of(1, 0, 1), raw);
    expect(bits.json.outputs).toMatchObject([{ shape: [3] }]);
  });

  it.each([
    ['two_inputs', 8, /takes no raw binary request: it takes 2 inputs, not one/],
    ['copy', 7, /has 7 bytes, FP32 of shape \[1, 1\] has 4/],
    ['strings', 4, /its input has 2 texts, not one/],
  ])('are refused by %s with %i bytes', async (model, bytes, reason) => {
    const reply = await post(server.address, `/v2/models/${model}/infer`, new Uint8Array(bytes), raw);
    expect(reply.json.error).toMatch(reason);
    expect(reply.status).toBe(400);
  });
});

describe('other statuses', () => {
  it.each([
    ['GET', '/v2/nothing', 404, /no route/],
    ['GET', '/v2/models/nothing', 404, /no model "nothing"; there are: /],
    ['GET', '/v2/models/nothing/ready', 404, /no model "nothing"/],
    ['GET', '/v2/models/nothing/config', 404, /no model/],
    ['GET', '/v2/models/nothing/stats', 404, /no model/],
    ['GET', '/v2/models/copy/versions/2', 404, /no version "2"; it has: 1/],
    ['GET', '/v2/models/copy/versions/x/ready', 404, /no version "x"/],
    ['POST', '/v2/models/nothing/infer', 404, /no model/],
    ['POST', '/v2/models/copy/versions/9/infer', 404, /no version "9"/],
    ['POST', '/v2/models/broken/infer', 503, /broken is not ready: .*cannot be loaded/],
    ['GET', '/v2/models/broken', 503, /broken is not ready/],
    ['GET', '/v2/models/broken/ready', 503, /broken is not ready/],
    ['GET', '/v2/health/ready', 503, /broken: /],
    ['GET', '/v2/models/copy/infer', 405, /takes POST, not GET/],
    ['DELETE', '/v2/models/copy', 405, /takes GET, HEAD, not DELETE/],
  ])('%s %s is %i', async (method, url, status, reason) => {
    const body = method === 'POST' ? JSON.stringify({ inputs: [x] }) : undefined;
    const response = await fetch(server.address + url, { method, ...(body !== undefined && { body }) });
    expect(response.status).toBe(status);
    expect((await response.json()) as unknown).toMatchObject({ error: expect.stringMatching(reason) });
    if (status === 405) expect(response.headers.get('allow')).toBeTruthy();
    if (status === 503 && method === 'POST') expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
  });

  it('413 for a body beyond the limit, said or found', async () => {
    const body = 'x'.repeat(100_001);
    const said = await post(server.address, path, body);
    expect(said.status).toBe(413);
    expect(said.json.error).toMatch(/at most 100000 bytes/);
    const pieces = new ReadableStream({
      start(controller) {
        for (let at = 0; at < 11; at++) controller.enqueue(new Uint8Array(10_000));
        controller.close();
      },
    });
    const found = await fetch(server.address + path, { method: 'POST', body: pieces, duplex: 'half' });
    expect(found.status).toBe(413);
  });

  it('400 when the model refuses the values', async () => {
    const inputs = [{ name: 'i', shape: [1], datatype: 'INT64', data: [99] }];
    const reply = await post(server.address, '/v2/models/gather/infer', { inputs });
    expect(reply.status).toBe(400);
    expect(reply.json.error).toMatch(/The model refused the input: .*99/);
  });

  it('504 when the timeout of the request passes, which is in microseconds', async () => {
    const inputs = [{ name: 'turns', shape: [1], datatype: 'INT64', data: [2_000_000] }];
    const url = '/v2/models/hangs/infer';
    const reply = await post(server.address, url, { inputs, parameters: { timeout: 30_000 } });
    expect(reply.status).toBe(504);
    expect(reply.json.error).toMatch(/deadline/i);
    const patient = { inputs: [{ ...inputs[0], data: [3] }], parameters: { timeout: 20_000_000, priority: 1 } };
    expect((await post(server.address, url, patient)).status).toBe(200);
  });
});
