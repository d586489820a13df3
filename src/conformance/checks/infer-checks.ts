import type { TensorSpec } from '../../tensor/tensor.ts';
import type { ModelCheck } from '../check.ts';
import { readInferReply } from '../infer-reply.ts';
import { encodeJson, type InferRequest, jsonRequest } from '../infer-request.ts';
import { describe, expectStatus, show } from '../json.ts';
import {
  acceptedExamples,
  acceptedInputs,
  inferJson,
  type ModelUnderTest,
  modelPath,
  plainAnswer,
  sendInfer,
} from '../model-under-test.ts';
import { expectSameAnswer } from '../same-tensor.ts';
import { expect, NotTried } from '../verdict.ts';

const concurrentRequests = 24;

/** Sends a changed request, whose answer has to be that of the plain one. */
async function expectPlainAnswer(
  model: ModelUnderTest,
  change: (request: InferRequest) => object,
  headers?: Record<string, string>,
): Promise<void> {
  const [example] = acceptedExamples(model);
  const encoded = encodeJson(change(jsonRequest(example.inputs)));
  const reply = await sendInfer(model, headers === undefined ? encoded : { ...encoded, headers });
  expectSameAnswer(readInferReply(reply).outputs, plainAnswer(example));
}

/** Inference with JSON. */
export const inferChecks: readonly ModelCheck[] = [
  {
    id: 'infer.accepts',
    section: 'OIP Model Metadata',
    level: 'SHOULD',
    says: 'A request that is made from the metadata is accepted',
    async run(model) {
      if (model.problem !== undefined) throw new NotTried(model.problem);
      const [first] = model.examples;
      const isAccepted = model.examples.some(({ reply }) => reply.status === 200);
      expect(isAccepted, first === undefined ? 'none was tried' : `the first was answered by ${describe(first.reply)}`);
    },
  },
  {
    id: 'infer.no-server-error',
    section: 'RFC 9110 §15.6',
    level: 'SHOULD',
    says: 'No request that is made from the metadata ends with a 5xx',
    async run(model) {
      const broken = model.examples.find(({ reply }) => reply.status >= 500);
      expect(broken === undefined, broken === undefined ? '' : describe(broken.reply));
    },
  },
  {
    id: 'infer.reply',
    section: 'OIP Inference Response JSON Object',
    level: 'MUST',
    says: 'The reply names the model, and each output has name, shape, datatype and as much data as its shape says',
    async run(model) {
      for (const { reply } of acceptedExamples(model)) {
        const { model_name: name } = readInferReply(reply).json;
        expect(name === model.name, `model_name is ${show(name)}`);
      }
    },
  },
  {
    id: 'infer.media-type',
    section: 'OIP HTTP/REST',
    level: 'SHOULD',
    says: 'A reply of JSON alone is application/json',
    async run(model) {
      const type = acceptedExamples(model)[0].reply.headers['content-type'];
      expect(type?.split(';')[0]?.trim() === 'application/json', `content-type is ${show(type)}`);
    },
  },
  {
    id: 'infer.metadata',
    section: 'OIP Model Metadata',
    level: 'MUST',
    says: 'All outputs of the metadata come back, with its data types and shapes',
    async run(model) {
      for (const example of acceptedExamples(model)) {
        const answer = plainAnswer(example);
        expect(
          show([...answer.keys()].sort()) === show(model.outputs.map(({ name }) => name).sort()),
          `the metadata has ${show(model.outputs.map(({ name }) => name))}, the reply ${show([...answer.keys()])}`,
        );
        for (const [name, tensor] of answer) {
          const spec = model.outputs.find((output) => output.name === name);
          const fits = spec?.datatype === tensor.datatype && fitsShape(tensor.shape, spec);
          expect(fits, `output ${show(name)} is ${tensor.datatype} ${show(tensor.shape)}, not ${show(spec)}`);
        }
      }
    },
  },
  {
    id: 'infer.id',
    section: 'OIP Inference Request JSON Object',
    level: 'MUST',
    says: 'The id of a request is returned',
    run: (model) => expectIds(model, ['42']),
  },
  {
    id: 'infer.id-any',
    section: 'OIP Inference Request JSON Object',
    level: 'MUST',
    says: 'The id of a request is returned, whatever text it is',
    run: (model) => expectIds(model, ['a "quoted" \\ täxt ☃ 😀', 'line\nbreak', 'x'.repeat(500)]),
  },
  {
    id: 'infer.nested',
    section: 'OIP Tensor Data',
    level: 'MUST',
    says: 'Nested data is the same as flat data',
    run: (model) => expectPlainAnswer(model, () => jsonRequest(acceptedInputs(model), 'nested')),
  },
  {
    id: 'infer.outputs',
    section: 'OIP Request Output',
    level: 'MUST',
    says: 'The outputs that are asked for come back, and no others',
    async run(model) {
      const [example] = acceptedExamples(model);
      for (const [name, tensor] of plainAnswer(example)) {
        const reply = await inferJson(model, { ...jsonRequest(example.inputs), outputs: [{ name }] });
        expectSameAnswer(readInferReply(reply).outputs, new Map([[name, tensor]]));
      }
    },
  },
  {
    id: 'infer.outputs-order',
    section: 'OIP Request Output',
    level: 'SHOULD',
    says: 'Outputs come in the order in which they are asked for',
    async run(model) {
      const [example] = acceptedExamples(model);
      const names = [...plainAnswer(example).keys()].reverse();
      if (names.length < 2) throw new NotTried('the model has one output');
      const reply = await inferJson(model, {
        ...jsonRequest(example.inputs),
        outputs: names.map((name) => ({ name })),
      });
      const received = [...readInferReply(reply).outputs.keys()];
      expect(show(received) === show(names), `asked for ${show(names)}, received ${show(received)}`);
    },
  },
  {
    id: 'infer.parameters',
    section: 'OIP Parameters',
    level: 'SHOULD',
    says: 'Parameters that the server does not know change nothing',
    run: (model) => {
      const parameters = { conformance_text: 'x', conformance_number: 1.5, conformance_flag: true };
      return expectPlainAnswer(model, ({ inputs }) => ({
        parameters,
        inputs: inputs.map((input) => ({ ...input, parameters })),
        outputs: [...plainAnswer(acceptedExamples(model)[0]).keys()].map((name) => ({ name, parameters })),
      }));
    },
  },
  {
    id: 'infer.unknown-members',
    section: 'KServe clients',
    level: 'SHOULD',
    says: 'Members that the protocol does not know are ignored; clients send model_name',
    run: (model) =>
      expectPlainAnswer(model, ({ inputs }) => ({
        model_name: model.name,
        conformance: { nested: [null] },
        inputs: inputs.map((input) => ({ ...input, conformance: null })),
      })),
  },
  {
    id: 'infer.no-content-type',
    section: 'Triton clients',
    level: 'SHOULD',
    says: 'A request without Content-Type is taken',
    run: (model) => expectPlainAnswer(model, (request) => request, {}),
  },
  {
    id: 'infer.octet-stream',
    section: 'Triton clients',
    level: 'SHOULD',
    says: 'JSON that is sent as application/octet-stream is taken',
    run: (model) => expectPlainAnswer(model, (request) => request, { 'content-type': 'application/octet-stream' }),
  },
  {
    id: 'infer.version',
    section: 'OIP HTTP/REST',
    level: 'MUST',
    says: 'A version of the metadata can be asked for, and is the one that answers',
    async run(model) {
      if (model.versions.length === 0) throw new NotTried('the metadata lists no versions');
      const encoded = encodeJson(jsonRequest(acceptedInputs(model)));
      for (const version of model.versions) {
        const { json } = readInferReply(await sendInfer(model, encoded, version));
        const { model_version: received } = json;
        expect(received === version, `model_version is ${show(received)}, not ${show(version)}`);
      }
    },
  },
  {
    id: 'infer.deterministic',
    section: 'Reproducibility',
    level: 'SHOULD',
    says: 'The same request has the same answer',
    run: (model) => expectPlainAnswer(model, (request) => request),
  },
  {
    id: 'infer.priority',
    section: 'Schedule Policy Extension',
    level: 'MUST',
    says: 'A request of any priority has the answer of one that names none',
    async run(model) {
      if (!model.server.extensions.has('schedule_policy')) {
        throw new NotTried('the server does not advertise schedule_policy');
      }
      for (const priority of [0, 1, 2, 1000]) {
        await expectPlainAnswer(model, (request) => ({ ...request, parameters: { priority } }));
      }
    },
  },
  {
    id: 'infer.concurrent',
    section: 'OIP Inference',
    level: 'MUST',
    says: 'Of requests at the same time each gets its own id and its own answer',
    run: expectOwnAnswers,
  },
  {
    id: 'infer.get',
    section: 'RFC 9110 §15.5.6',
    level: 'SHOULD',
    says: 'GET on /infer is 405, with the methods that are allowed',
    async run({ server, name }) {
      const reply = await server.http.send({ method: 'GET', path: `${modelPath(name)}/infer` });
      expectStatus(reply, 405);
      expect(/\bPOST\b/.test(reply.headers.allow ?? ''), `allow is ${show(reply.headers.allow)}`);
    },
  },
];

async function expectIds(model: ModelUnderTest, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const { json } = readInferReply(await inferJson(model, { id, ...jsonRequest(acceptedInputs(model)) }));
    expect(json['id'] === id, `id is ${show(json['id'])}, the request had ${show(id)}`);
  }
}

async function expectOwnAnswers(model: ModelUnderTest): Promise<void> {
  const [first, ...others] = acceptedExamples(model);
  const examples = [first, ...others];
  const requests = Array.from({ length: concurrentRequests }, (_, index) => {
    const example = examples[index % examples.length] ?? first;
    return { id: `conformance-${index}`, example };
  });
  const isSteady = await hasSameAnswerAgain(model);
  const answers = requests.map(async ({ id, example }) => {
    const { json, outputs } = readInferReply(await inferJson(model, { id, ...jsonRequest(example.inputs) }));
    expect(json['id'] === id, `id is ${show(json['id'])}, the request had ${show(id)}`);
    if (isSteady) expectSameAnswer(outputs, plainAnswer(example));
  });
  await Promise.all(answers);
}

/** Whether answers can be compared at all: some models are random, or keep a state. */
async function hasSameAnswerAgain(model: ModelUnderTest): Promise<boolean> {
  try {
    await expectPlainAnswer(model, (request) => request);
    return true;
  } catch {
    return false;
  }
}

function fitsShape(shape: readonly number[], spec: TensorSpec): boolean {
  // Runtimes show an unknown rank as no dimensions at all.
  if (spec.shape.length === 0) return true;
  return shape.length === spec.shape.length && spec.shape.every((size, axis) => size === -1 || size === shape[axis]);
}
