import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import { encodeJson, type InferRequest, type InputObject, jsonRequest } from '../infer-request.ts';
import { acceptedInputs, type ModelUnderTest, modelPath, sendInfer } from '../model-under-test.ts';
import { NotTried } from '../verdict.ts';
import type { Refusal } from './refusals.ts';

const request = 'OIP Inference Request JSON Object';
const input = 'OIP Request Input';
const tensorData = 'OIP Tensor Data';

const unknown = { model: 'conformance-no-such-model', version: '987654321' };

/** Requests of JSON that cannot be served. */
export const inferRefusals: readonly Refusal[] = [
  {
    id: 'refuse.metadata-of-unknown-model',
    section: 'OIP Model Metadata Response JSON Error Object',
    level: 'MUST',
    fault: 'for the metadata of an unknown model',
    send: ({ server }) => server.http.send({ method: 'GET', path: modelPath(unknown.model) }),
  },
  {
    id: 'refuse.metadata-of-unknown-version',
    section: 'OIP Model Metadata Response JSON Error Object',
    level: 'MUST',
    fault: 'for the metadata of an unknown version',
    send: ({ server, name }) => server.http.send({ method: 'GET', path: modelPath(name, unknown.version) }),
  },
  {
    id: 'refuse.ready-of-unknown-model',
    section: 'OIP Model Ready',
    level: 'SHOULD',
    fault: 'for the readiness of an unknown model',
    send: ({ server }) => server.http.send({ method: 'GET', path: `${modelPath(unknown.model)}/ready` }),
  },
  {
    id: 'refuse.unknown-model',
    section: 'OIP Inference',
    level: 'MUST',
    fault: 'to an unknown model',
    send: (model) => sendInfer({ ...model, name: unknown.model }, encodeJson(jsonRequest(acceptedInputs(model)))),
  },
  {
    id: 'refuse.unknown-version',
    section: 'OIP Inference',
    level: 'MUST',
    fault: 'to an unknown version',
    send: (model) => sendInfer(model, encodeJson(jsonRequest(acceptedInputs(model))), unknown.version),
  },
  raw('malformed-json', request, 'that is not JSON', '{"inputs": ['),
  raw('empty-body', request, 'without a body', ''),
  raw('not-an-object', request, 'that is a list', '[]'),
  raw('deep-nesting', request, 'that is nested 100,000 levels deep', `${'['.repeat(1e5)}${']'.repeat(1e5)}`),
  whole('no-inputs', request, 'without inputs', () => ({})),
  whole('inputs-not-a-list', request, 'whose inputs are not a list', () => ({ inputs: {} })),
  whole('missing-input', 'OIP Model Metadata', 'that lacks an input', ({ inputs }) => ({ inputs: inputs.slice(1) })),
  whole('unknown-output', 'OIP Request Output', 'for an output that the model does not have', (body) => ({
    ...body,
    outputs: [{ name: 'conformance-no-such-output' }],
  })),
  whole('outputs-not-a-list', 'OIP Request Output', 'whose outputs are not a list', (body) => ({
    ...body,
    outputs: 'all',
  })),
  whole(
    'extra-input',
    'OIP Model Metadata',
    'with an input that the model does not have',
    ({ inputs: [first, ...others] }) => ({ inputs: [first, ...others, { ...first, name: 'conformance-extra' }] }),
    'SHOULD',
  ),
  whole(
    'duplicate-input',
    input,
    'with an input twice',
    ({ inputs }) => ({ inputs: [...inputs, ...inputs] }),
    'SHOULD',
  ),
  first('wrong-name', input, 'with an input of another name', (object) => ({ ...object, name: 'conformance-name' })),
  first('no-shape', input, 'with an input without a shape', ({ shape: _, ...object }) => object),
  first('no-datatype', input, 'with an input without a data type', ({ datatype: _, ...object }) => object),
  first('no-data', input, 'with an input without data', ({ data: _, ...object }) => object),
  first('unknown-datatype', 'OIP Tensor Data Types', 'with the data type FP31', (object) => ({
    ...object,
    datatype: 'FP31',
  })),
  first(
    'other-datatype',
    'OIP Model Metadata',
    'with a data type that is not that of the metadata',
    (object) => ({ ...object, datatype: object.datatype === 'INT8' ? 'INT16' : 'INT8', data: zerosOf(object) }),
    'SHOULD',
  ),
  first('wrong-rank', 'OIP Model Metadata', 'with a dimension too many', (object, tensor) => {
    if (tensor.shape.length === 0) throw new NotTried('the rank of the first input is not known');
    return { ...object, shape: [...object.shape, 1] };
  }),
  first('wrong-dimension', 'OIP Model Metadata', 'with another size for a fixed dimension', (object, tensor, model) => {
    const axis = model.inputs[0]?.shape.findIndex((size) => size > 0) ?? -1;
    if (axis === -1) throw new NotTried('the first input has no fixed dimension');
    const shape = tensor.shape.map((size, index) => (index === axis ? size + 1 : size));
    return { ...object, shape, data: Array.from({ length: elementCount(shape) }, () => elementOf(object)) };
  }),
  first('negative-dimension', input, 'with a dimension of -1', (object) => ({
    ...object,
    shape: object.shape.map(() => -1).concat(object.shape.length === 0 ? [-1] : []),
  })),
  first('fractional-dimension', input, 'with a dimension of 1.5', (object) => ({ ...object, shape: [1.5] })),
  first('huge-shape', tensorData, 'whose shape has 2^62 elements', (object) => ({
    ...object,
    shape: [2 ** 31, 2 ** 31],
  })),
  first('too-few-elements', tensorData, 'with an element too few', (object) => {
    const data = listOf(object);
    if (data.length === 0) throw new NotTried('the first input has no elements');
    return { ...object, data: data.slice(1) };
  }),
  first('too-many-elements', tensorData, 'with an element too many', (object) => ({
    ...object,
    data: [...listOf(object), elementOf(object)],
  })),
  first('ragged', tensorData, 'with lists of several lengths', (object) => ({
    ...object,
    data: [[...listOf(object), elementOf(object)], []],
  })),
  first('wrong-element', tensorData, 'with an element of another JSON type', (object) => {
    const wrong = object.datatype === 'BYTES' ? { no: 'text' } : 'no number';
    return { ...object, data: listOf(object).map((value, index) => (index === 0 ? wrong : value)) };
  }),
  first(
    'out-of-range',
    'OIP Tensor Data Types',
    'with a whole number that the data type cannot hold',
    (object, tensor) => {
      if (!/^U?INT(8|16|32)$/.test(tensor.datatype)) throw new NotTried('the first input is not of small integers');
      return { ...object, data: listOf(object).map(() => 2 ** 40) };
    },
    'SHOULD',
  ),
];

/** A body that is sent as it is. */
function raw(id: string, section: string, fault: string, body: string): Refusal {
  const encoded = { headers: { 'content-type': 'application/json' }, body: Buffer.from(body) };
  return { id: `refuse.${id}`, section, level: 'MUST', fault, send: (model) => sendInfer(model, encoded) };
}

type ChangeRequest = (body: InferRequest) => object;

/** A proper request that was changed. */
function whole(
  id: string,
  section: string,
  fault: string,
  change: ChangeRequest,
  level: Refusal['level'] = 'MUST',
): Refusal {
  const send: Refusal['send'] = (model) => sendInfer(model, encodeJson(change(jsonRequest(acceptedInputs(model)))));
  return { id: `refuse.${id}`, section, level, fault, send };
}

type ChangeInput = (object: InputObject, tensor: Tensor, model: ModelUnderTest) => object;

/** A proper request whose first input was changed. */
function first(
  id: string,
  section: string,
  fault: string,
  change: ChangeInput,
  level: Refusal['level'] = 'MUST',
): Refusal {
  const send: Refusal['send'] = (model) => {
    const [tensor] = acceptedInputs(model).values();
    const { inputs } = jsonRequest(acceptedInputs(model));
    const [object, ...others] = inputs;
    if (object === undefined || tensor === undefined) throw new NotTried('the model has no input');
    return sendInfer(model, encodeJson({ inputs: [change(object, tensor, model), ...others] }));
  };
  return { id: `refuse.${id}`, section, level, fault, send };
}

function listOf({ data }: InputObject): readonly unknown[] {
  return Array.isArray(data) ? data : [data];
}

function elementOf(object: InputObject): unknown {
  return listOf(object)[0] ?? 0;
}

function zerosOf(object: InputObject): number[] {
  return listOf(object).map(() => 0);
}
