import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tensorFromBytes, tensorToBytes } from '../../../../src/tensor/binary-codec.ts';
import type { DataType } from '../../../../src/tensor/data-type.ts';
import { type TemporaryFolder, temporaryRepository } from '../../../helpers/folder.ts';
import { type GrpcClient, grpcClient } from '../../../helpers/grpc-client.ts';
import { addIdentityModel, dataTypes } from '../../../helpers/identity-model.ts';
import { startReadyServer, type TestServer } from '../../../helpers/server.ts';

let repository: TemporaryFolder;
let server: TestServer;
let client: GrpcClient;

beforeAll(async () => {
  repository = await temporaryRepository('iris');
  await Promise.all(dataTypes.map((datatype) => addIdentityModel(repository.path, datatype.toLowerCase(), datatype)));
  const environment = { MODELS_DIR: repository.path, GRPC_PORT: '0', BODY_LIMIT_BYTES: '2000000' };
  server = await startReadyServer(environment, []);
  client = grpcClient(server.grpcPort);
});

afterAll(async () => {
  client[Symbol.dispose]();
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

interface Elements {
  /** The list of typed contents, and the elements as the client writes them. */
  readonly contents?: readonly [string, readonly unknown[]];
  readonly bytes: Uint8Array;
}

const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Two rows of two elements of each type, with the ends of their ranges. */
const elements: Readonly<Record<DataType, Elements>> = {
  BOOL: { contents: ['bool_contents', [true, false, false, true]], bytes: Uint8Array.of(1, 0, 0, 1) },
  UINT8: { contents: ['uint_contents', [0, 1, 128, 255]], bytes: Uint8Array.of(0, 1, 128, 255) },
  UINT16: { contents: ['uint_contents', [0, 1, 2, 65535]], bytes: bytesOf(Uint16Array.of(0, 1, 2, 65535)) },
  UINT32: { contents: ['uint_contents', [0, 1, 2, 2 ** 32 - 1]], bytes: bytesOf(Uint32Array.of(0, 1, 2, 2 ** 32 - 1)) },
  UINT64: {
    contents: ['uint64_contents', ['0', '1', '9007199254740993', '18446744073709551615']],
    bytes: bytesOf(BigUint64Array.of(0n, 1n, 2n ** 53n + 1n, 2n ** 64n - 1n)),
  },
  INT8: { contents: ['int_contents', [-128, -1, 0, 127]], bytes: bytesOf(Int8Array.of(-128, -1, 0, 127)) },
  INT16: { contents: ['int_contents', [-32768, -1, 0, 32767]], bytes: bytesOf(Int16Array.of(-32768, -1, 0, 32767)) },
  INT32: {
    contents: ['int_contents', [-(2 ** 31), -1, 0, 2 ** 31 - 1]],
    bytes: bytesOf(Int32Array.of(-(2 ** 31), -1, 0, 2 ** 31 - 1)),
  },
  INT64: {
    contents: ['int64_contents', ['-9223372036854775808', '-1', '9007199254740993', '9223372036854775807']],
    bytes: bytesOf(BigInt64Array.of(-(2n ** 63n), -1n, 2n ** 53n + 1n, 2n ** 63n - 1n)),
  },
  FP16: { bytes: bytesOf(Uint16Array.of(0x3c00, 0x8000, 0x7c00, 0xfc00)) },
  FP32: {
    contents: ['fp32_contents', [1.5, -0, Infinity, 3.4e38]],
    bytes: bytesOf(Float32Array.of(1.5, -0, Infinity, 3.4e38)),
  },
  FP64: {
    contents: ['fp64_contents', [1 / 3, -0, Infinity, 1e308]],
    bytes: bytesOf(Float64Array.of(1 / 3, -0, Infinity, 1e308)),
  },
  BYTES: {
    contents: ['bytes_contents', ['', 'a', '최고', '🙂'].map((text) => Buffer.from(text))],
    bytes: tensorToBytes({ datatype: 'BYTES', shape: [2, 2], data: ['', 'a', '최고', '🙂'] }),
  },
};

const input = (datatype: string, shape: readonly number[]) => ({ name: 'x', datatype, shape });

function raw(datatype: string, shape: readonly number[], bytes: Uint8Array) {
  return { model_name: datatype.toLowerCase(), inputs: [input(datatype, shape)], raw_input_contents: [bytes] };
}

function answerOf(datatype: DataType) {
  const outputs = [{ name: 'y', datatype, shape: ['2', '2'] }];
  return { model_name: datatype.toLowerCase(), model_version: '1', outputs };
}

describe('ModelInfer', () => {
  describe.each(dataTypes)('with %s', (datatype) => {
    const { bytes } = elements[datatype];
    it('takes raw contents and gives them back', async () => {
      const response = await client.call('ModelInfer', raw(datatype, [2, 2], bytes));
      expect(response).toMatchObject(answerOf(datatype));
      expect(response['raw_output_contents']).toEqual([Buffer.from(bytes)]);
    });

    it('takes a tensor without elements', async () => {
      const response = await client.call('ModelInfer', raw(datatype, [0, 2], new Uint8Array(0)));
      expect(response).toMatchObject({ outputs: [{ shape: ['0', '2'] }], raw_output_contents: [Buffer.alloc(0)] });
      const inputs = [input(datatype, [0, 2])];
      const untyped = client.call('ModelInfer', { model_name: datatype.toLowerCase(), inputs });
      if (datatype === 'FP16') await expect(untyped).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
      else expect(await untyped).toMatchObject({ outputs: [{ shape: ['0', '2'] }] });
    });
  });

  // The protocol has no typed contents for half floats.
  it.each(dataTypes.filter((datatype) => datatype !== 'FP16'))('takes typed contents of %s', async (datatype) => {
    const { bytes, contents: [list, values] = ['none', []] } = elements[datatype];
    const inputs = [{ ...input(datatype, [2, 2]), contents: { [list]: values } }];
    const response = await client.call('ModelInfer', { model_name: datatype.toLowerCase(), inputs });
    expect(response).toMatchObject(answerOf(datatype));
    expect(response['raw_output_contents']).toEqual([Buffer.from(bytes)]);
  });

  it('echoes the id, takes a version and gives the wanted outputs alone', async () => {
    const request = {
      ...raw('FP32', [1, 1], Buffer.alloc(4)),
      id: 'mine',
      model_version: '1',
      outputs: [{ name: 'y' }],
    };
    expect(await client.call('ModelInfer', request)).toMatchObject({ id: 'mine', outputs: [{ name: 'y' }] });
  });

  it('gives a large tensor back bit for bit', async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(65_536));
    const large = Buffer.concat(Array.from({ length: 9 }, () => bytes));
    const { raw_output_contents } = await client.call('ModelInfer', raw('UINT8', [1, large.length], large));
    expect(Buffer.compare((raw_output_contents as Buffer[])[0] ?? Buffer.alloc(0), large)).toBe(0);
  });

  it('gives the best classes of an output', async () => {
    const features = { name: 'features', datatype: 'FP32', shape: [1, 4] };
    const response = await client.call('ModelInfer', {
      model_name: 'iris',
      inputs: [{ ...features, contents: { fp32_contents: [5.9, 3, 5.1, 1.8] } }],
      outputs: [{ name: 'probabilities', parameters: { classification: { int64_param: 2 } } }],
    });
    expect(response['outputs']).toMatchObject([{ name: 'probabilities', datatype: 'BYTES', shape: ['1', '2'] }]);
    const [section = Buffer.alloc(0)] = response['raw_output_contents'] as Buffer[];
    const best = tensorFromBytes({ datatype: 'BYTES', shape: [1, 2], section }, 'probabilities');
    expect(best.data).toEqual([
      expect.stringMatching(/^0\.\d{6}:2:virginica$/),
      expect.stringMatching(/^0\.\d{6}:1:versicolor$/),
    ]);
  });
});

describe('an error', () => {
  const fails = (request: Record<string, unknown>) => client.call('ModelInfer', { model_name: 'fp32', ...request });
  const one = (tensor: Record<string, unknown>) => fails({ inputs: [{ ...input('FP32', [1, 1]), ...tensor }] });

  it('is NOT_FOUND for a model or version that is not there', async () => {
    await expect(fails({ model_name: 'nothing' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringMatching(/no model "nothing"/),
    });
    await expect(fails({ model_version: '7' })).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['an unknown data type', { datatype: 'BF16' }, /Input "x".*BF16/],
    ['another data type', { datatype: 'INT32', contents: { int_contents: [1] } }, /"x".*INT32.*FP32/],
    ['a negative dimension', { shape: [-1, 1] }, /Input "x".*-1/],
    ['a dimension beyond any memory', { shape: ['9223372036854775807', 1] }, /Input "x"/],
    ['too many dimensions', { shape: Array(17).fill(1) }, /Input "x".*17 dimensions/],
    ['too few elements', { shape: [1, 2], contents: { fp32_contents: [1] } }, /fp32_contents has 1.*has 2/],
    ['no elements', {}, /fp32_contents has 0.*has 1/],
    ['elements in the wrong list', { contents: { fp64_contents: [1] } }, /fp32_contents, not in fp64_contents/],
    ['an unknown name', { name: 'z', contents: { fp32_contents: [1] } }, /"z"/],
  ])('is INVALID_ARGUMENT for %s, and names the input', async (_what, tensor, details) => {
    await expect(one(tensor)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(details),
    });
  });

  it.each<[string, string, Record<string, unknown>]>([
    ['INT8', '128', { int_contents: [128] }],
    ['INT16', '-32769', { int_contents: [-32769] }],
    ['UINT8', '256', { uint_contents: [256] }],
    ['UINT16', '65536', { uint_contents: [65536] }],
  ])('is INVALID_ARGUMENT for an %s of %s', async (datatype, value, contents) => {
    const inputs = [{ ...input(datatype, [1, 1]), contents }];
    await expect(fails({ model_name: datatype.toLowerCase(), inputs })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining(value),
    });
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a raw section of another size', raw('FP32', [1, 1], Buffer.alloc(5)), /has 5 bytes.*has 4/],
    ['raw contents for fewer inputs', { ...raw('FP32', [1, 1], Buffer.alloc(4)), inputs: [] }, /1 entries for 0/],
    [
      'both kinds of contents',
      {
        ...raw('FP32', [1, 1], Buffer.alloc(4)),
        inputs: [{ ...input('FP32', [1, 1]), contents: { fp32_contents: [1] } }],
      },
      /beside raw_input_contents/,
    ],
    ['an input that comes twice', { inputs: [input('FP32', [0, 1]), input('FP32', [0, 1])] }, /comes twice/],
    ['half floats in typed contents', { model_name: 'fp16', inputs: [input('FP16', [1, 1])] }, /raw_input_contents/],
    ['an unknown output', { ...raw('FP32', [1, 1], Buffer.alloc(4)), outputs: [{ name: 'z' }] }, /no output "z"/],
    ['a BOOL of 2', raw('BOOL', [1, 1], Uint8Array.of(2)), /0 or 1/],
    ['a text that is not UTF-8', raw('BYTES', [1, 1], Uint8Array.of(1, 0, 0, 0, 0xff)), /UTF-8/],
    [
      'a negative timeout',
      { ...raw('FP32', [1, 1], Buffer.alloc(4)), parameters: { timeout: { int64_param: -1 } } },
      /timeout/,
    ],
    [
      'a priority that is a text',
      { ...raw('FP32', [1, 1], Buffer.alloc(4)), parameters: { priority: { string_param: 'high' } } },
      /priority/,
    ],
  ])('is INVALID_ARGUMENT for %s', async (_what, request, details) => {
    await expect(fails(request)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(details),
    });
  });

  it('is RESOURCE_EXHAUSTED for a message above the limit of bodies', async () => {
    await expect(
      client.call('ModelInfer', raw('UINT8', [1, 2_000_000], Buffer.alloc(2_000_000))),
    ).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
  });

  it('is UNIMPLEMENTED for a call that is not there', async () => {
    const { makeGenericClientConstructor, credentials } = await import('@grpc/grpc-js');
    const asItIs = (bytes: Buffer) => bytes;
    const path = '/inference.GRPCInferenceService/SystemSharedMemoryStatus';
    const method = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    };
    const other = new (makeGenericClientConstructor({ method }, 'Other'))(
      `127.0.0.1:${server.grpcPort}`,
      credentials.createInsecure(),
    );
    const error = await new Promise((resolve) => {
      other.makeUnaryRequest(path, asItIs, asItIs, Buffer.alloc(0), resolve);
    });
    other.close();
    expect(error).toMatchObject({ code: status.UNIMPLEMENTED });
  });

  it('carries the request id', async () => {
    const failed = client.call('ModelInfer', { model_name: 'nothing' }, { metadata: { 'x-request-id': 'mine-1' } });
    const error = (await failed.catch((thrown: unknown) => thrown)) as { metadata: { get(name: string): string[] } };
    expect(error.metadata.get('x-request-id')).toEqual(['mine-1']);
    expect(server.logLines).toContainEqual(
      expect.objectContaining({ request_id: 'mine-1', rpc: 'ModelInfer', grpc_status: 'NOT_FOUND' }),
    );
  });
});
