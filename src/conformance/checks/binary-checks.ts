import { tensorToBytes } from '../../tensor/binary-codec.ts';
import type { ModelCheck } from '../check.ts';
import { type InferReply, readInferReply } from '../infer-reply.ts';
import {
  binaryRequest,
  encodeBinary,
  encodeJson,
  type InferRequest,
  jsonLengthHeader,
  jsonRequest,
} from '../infer-request.ts';
import { show } from '../json.ts';
import {
  acceptedExamples,
  type Example,
  inferJson,
  type ModelUnderTest,
  plainAnswer,
  sendInfer,
} from '../model-under-test.ts';
import { expectSameAnswer } from '../same-tensor.ts';
import { expect, NotTried } from '../verdict.ts';

const section = 'Binary Tensor Data Extension';

/** @throws NotTried unless the server advertises binary tensors */
export function needBinary({ server }: ModelUnderTest): void {
  if (!server.extensions.has('binary_tensor_data')) {
    throw new NotTried('the server does not advertise binary_tensor_data');
  }
}

function check(id: string, says: string, run: (model: ModelUnderTest, example: Example) => Promise<void>): ModelCheck {
  return {
    id: `binary.${id}`,
    section,
    level: 'MUST',
    says,
    async run(model) {
      needBinary(model);
      for (const example of acceptedExamples(model)) await run(model, example);
    },
  };
}

/** Tensors as bytes; each answer has to be that to the same tensors as JSON. */
export const binaryChecks: readonly ModelCheck[] = [
  check('inputs', 'Binary inputs have the answer of the same inputs in JSON', async (model, example) => {
    const reply = readInferReply(await sendInfer(model, encodeBinary(binaryRequest(example.inputs))));
    expectSameAnswer(reply.outputs, plainAnswer(example));
    expectBinary(reply, []);
  }),
  check('output', 'An output with binary_data comes as bytes, the others as JSON', async (model, example) => {
    const names = [...plainAnswer(example).keys()];
    const outputs = names.map((name, index) => ({ name, parameters: { binary_data: index === 0 } }));
    const reply = readInferReply(await inferJson(model, { ...jsonRequest(example.inputs), outputs }));
    expectSameAnswer(reply.outputs, plainAnswer(example));
    expectBinary(reply, names.slice(0, 1));
  }),
  check('all-outputs', 'With binary_data_output all outputs come as bytes', async (model, example) => {
    const { request, sections } = binaryRequest(example.inputs);
    const asked: InferRequest = { ...request, id: 'all', parameters: { binary_data_output: true } };
    const reply = readInferReply(await sendInfer(model, encodeBinary({ request: asked, sections })));
    expectSameAnswer(reply.outputs, plainAnswer(example));
    expectBinary(reply, [...plainAnswer(example).keys()]);
    expect(reply.json['id'] === 'all', `id is ${show(reply.json['id'])}`);
  }),
  check('media-type', 'A reply with bytes is application/octet-stream', async (model, example) => {
    const body = { ...jsonRequest(example.inputs), parameters: { binary_data_output: true } };
    const { headers } = await inferJson(model, body);
    if (headers[jsonLengthHeader] === undefined) return;
    const type = headers['content-type'];
    expect(type === 'application/octet-stream', `content-type is ${show(type)}`);
  }),
  check('mixed', 'An input in JSON may stand beside binary ones', async (model, example) => {
    if (model.inputs.length < 2) throw new NotTried('the model has one input');
    for (const parity of [0, 1]) {
      const mixed = binaryRequest(example.inputs, (index) => (index % 2 === parity ? 'flat' : 'binary'));
      expectSameAnswer(readInferReply(await sendInfer(model, encodeBinary(mixed))).outputs, plainAnswer(example));
    }
  }),
  check('header-of-json', 'The length of the JSON may be told where all of it is JSON', async (model, example) => {
    const { body } = encodeJson(jsonRequest(example.inputs));
    const headers = { [jsonLengthHeader]: String(body.byteLength) };
    expectSameAnswer(readInferReply(await sendInfer(model, { headers, body })).outputs, plainAnswer(example));
  }),
  check('no-content-type', 'Bytes are taken without Content-Type', async (model, example) => {
    const { headers, body } = encodeBinary(binaryRequest(example.inputs));
    const { 'content-type': _, ...others } = headers;
    expectSameAnswer(readInferReply(await sendInfer(model, { headers: others, body })).outputs, plainAnswer(example));
  }),
  check('raw', 'A raw request is the bytes of the only input', async (model, example) => {
    const [tensor, ...others] = example.inputs.values();
    const shape = model.inputs[0]?.shape ?? [];
    if (tensor === undefined || others.length > 0) throw new NotTried('the model has more than one input');
    const isClear = shape.filter((size) => size === -1).length <= 1 && shape.length > 0;
    if (!isClear) throw new NotTried('the shape of the input does not follow from the size of the body');
    if (tensor.datatype === 'BYTES' && tensor.data.length !== 1) return;
    // Where requests are batched, a raw one is a batch of one.
    if (shape[0] === -1 && tensor.shape[0] !== 1) return;
    const raw = { headers: { [jsonLengthHeader]: '0' }, body: tensorToBytes(tensor) };
    const reply = readInferReply(await sendInfer(model, raw));
    expectSameAnswer(reply.outputs, plainAnswer(example));
    expectBinary(reply, [...plainAnswer(example).keys()]);
  }),
];

function expectBinary({ binary }: InferReply, names: readonly string[]): void {
  expect(
    show([...binary].sort()) === show([...names].sort()),
    `expected ${show(names)} as bytes, received ${show([...binary])}`,
  );
}
