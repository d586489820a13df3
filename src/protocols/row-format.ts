import { AppError } from '../errors.ts';
import { checkJsonAnswer } from '../serving/answer-limit.ts';
import type { DecodableInference } from '../serving/infer.ts';
import { type JsonElement, type Nested, nestElements, tensorToJson } from '../tensor/json/json-output.ts';
import { quoteNames } from '../tensor/malformed-tensor.ts';
import { commonRows, rowElements, sliceElements, sliceRows } from '../tensor/rows.ts';
import { isJsonList, type JsonList } from '../tensor/sliced-json/long-list.ts';
import {
  areLarge,
  encodeTexts,
  type JsonPieces,
  objectText,
  tensorText,
} from '../tensor/sliced-json/write-sliced-json.ts';
import type { Signature, Tensor, Tensors } from '../tensor/tensor.ts';
import type { SlicedWork } from '../timing/sliced-work.ts';
import { decodeTexts, encodeText, isBase64 } from './base64-texts.ts';
import { checkNames, isJsonObject, listsOfOne, tensorsFromMembers } from './named-inputs.ts';

/*
 * The two formats of TensorFlow Serving, which KServe V1, Vertex AI and MLflow use as well: `instances` has a value for
 * each row, `inputs` a tensor for each input. See https://www.tensorflow.org/tfx/serving/api_rest.
 */

/**
 * The inputs from `instances`: for a model of one input the value of each row, else an object of values by input name. The
 * value for an input `[rows, 1]` may be bare: TensorFlow Serving wants `{"age": [30]}`, and takes `{"age": 30}` for an input
 * `[rows]`, but nothing else can be meant.
 *
 * @throws AppError `SIGNATURE_MISMATCH` or `MALFORMED_TENSOR`
 */
export function* tensorsFromInstances(instances: unknown, signature: Signature): SlicedWork<Tensors> {
  const location = ['body', 'instances'];
  if (!isJsonList(instances) || instances.length === 0) {
    throw mismatch('instances must be a list of at least one row', location, instances);
  }
  const [first] = instances;
  const isNamed = isJsonObject(first) && (!isBase64(first) || hasInput(signature, 'b64'));
  if (isNamed) {
    checkNames(Object.keys(first), signature, location);
    return yield* tensorsFromRows(yield* columnsOf(instances, Object.keys(first)), signature);
  }

  const [input, ...others] = signature.inputs;
  if (input !== undefined && others.length === 0) {
    return yield* tensorsFromRows({ [input.name]: instances }, signature);
  }
  const names = quoteNames(signature.inputs.map(({ name }) => name));
  throw mismatch(`each instance must be an object with the inputs ${names}`, [...location, 0], first);
}

/**
 * The inputs from `inputs`: for a model of one input its tensor, else an object of tensors by input name.
 *
 * @throws AppError `SIGNATURE_MISMATCH` or `MALFORMED_TENSOR`
 */
export function* tensorsFromInputs(inputs: unknown, signature: Signature): SlicedWork<Tensors> {
  const location = ['body', 'inputs'];
  if (isJsonObject(inputs) && (!isBase64(inputs) || hasInput(signature, 'b64')))
    return yield* tensorsFromColumns(inputs, signature, location);
  const [input, ...others] = signature.inputs;
  if (input !== undefined && others.length === 0) {
    return yield* tensorsFromColumns({ [input.name]: inputs }, signature, location);
  }
  const names = quoteNames(signature.inputs.map(({ name }) => name));
  throw mismatch(`inputs must be an object with the inputs ${names}`, location, inputs);
}

/**
 * The answer to `instances`: a value for each row where there is one output, else an object of values by output name.
 *
 * @throws AppError `MODEL_REFUSED_INPUT` if an output does not have a row for each of the inputs; `ANSWER_TOO_LARGE`
 */
export function predictionsOf({ inputs, outputs, answerLimitBytes }: DecodableInference): unknown[] {
  const tensors = Object.values(outputs);
  const rows = commonRows(Object.values(inputs));
  if (tensors.some(({ shape }) => shape[0] !== rows)) throw notByRow(rows, outputs);
  checkJsonAnswer(tensors, answerLimitBytes);
  const columns = Object.entries(outputs).map(([name, tensor]) => [name, rowsOf(name, tensor)] as const);
  const [first, ...others] = columns;
  if (first !== undefined && others.length === 0) return first[1];
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(columns.map(([name, column]) => [name, column[row]])),
  );
}

/**
 * The answer to `inputs`: the tensor where there is one output, else an object of tensors by output name.
 *
 * @throws AppError `ANSWER_TOO_LARGE`
 */
export function columnsOfOutputs({ outputs, answerLimitBytes }: DecodableInference): unknown {
  checkJsonAnswer(Object.values(outputs), answerLimitBytes);
  const columns = Object.entries(outputs).map(([name, tensor]) => [name, writeTensor(name, tensor)] as const);
  const [first, ...others] = columns;
  return first !== undefined && others.length === 0 ? first[1] : Object.fromEntries(columns);
}

/**
 * As {@link predictionsOf}, under that name, in pieces where they are large.
 *
 * @throws AppError `MODEL_REFUSED_INPUT` or `ANSWER_TOO_LARGE`
 */
export function* slicedPredictions(
  result: DecodableInference,
): SlicedWork<{ readonly predictions: unknown } | JsonPieces> {
  const { inputs, outputs, answerLimitBytes } = result;
  const tensors = Object.values(outputs);
  if (!areLarge(tensors)) return { predictions: predictionsOf(result) };
  const rows = commonRows(Object.values(inputs));
  if (tensors.some(({ shape }) => shape[0] !== rows)) throw notByRow(rows, outputs);
  checkJsonAnswer(tensors, answerLimitBytes);
  const entries = Object.entries(outputs);
  const [first, ...others] = entries;
  if (first !== undefined && others.length === 0) {
    return yield* encodeTexts(yield* objectText([['predictions', outputText(...first)]]));
  }
  const texts: string[] = [];
  for (let row = 0; row < rows; row += 1) {
    texts.push(row === 0 ? '{"predictions":[' : ',');
    const members = entries.map(([name, tensor]) => {
      const elements = rowElements(tensor.shape);
      const shape = tensor.shape.slice(1);
      return [name, outputText(name, sliceElements(tensor, shape, row * elements, (row + 1) * elements))] as const;
    });
    for (const text of yield* objectText(members)) texts.push(text);
    yield undefined;
  }
  texts.push(']}');
  return yield* encodeTexts(texts);
}

/**
 * As {@link columnsOfOutputs}, under a name, in pieces where they are large.
 *
 * @throws AppError `ANSWER_TOO_LARGE`
 */
export function* slicedColumns(
  result: DecodableInference,
  member: string,
): SlicedWork<Readonly<Record<string, unknown>> | JsonPieces> {
  const { outputs, answerLimitBytes } = result;
  if (!areLarge(Object.values(outputs))) return { [member]: columnsOfOutputs(result) };
  checkJsonAnswer(Object.values(outputs), answerLimitBytes);
  const members = Object.entries(outputs).map(([name, tensor]) => [name, outputText(name, tensor)] as const);
  const [first, ...others] = members;
  const columns = first !== undefined && others.length === 0 ? first[1] : objectText(members);
  return yield* encodeTexts(yield* objectText([[member, columns]]));
}

function outputText(name: string, tensor: Tensor): SlicedWork<string[]> {
  return tensorText(tensor, (part) => writeTensor(name, part));
}

/** `{"b64": …}` is a text, unless the model has an input of that name. */
function hasInput({ inputs }: Signature, name: string): boolean {
  return inputs.some((input) => input.name === name);
}

function tensorsFromRows(columns: Readonly<Record<string, JsonList>>, signature: Signature): SlicedWork<Tensors> {
  const values = Object.entries(columns).map(([name, column]) => {
    const spec = signature.inputs.find((input) => input.name === name);
    return [name, spec === undefined ? column : listsOfOne(column, spec)];
  });
  return tensorsFromColumns(Object.fromEntries(values), signature, ['body', 'instances']);
}

function tensorsFromColumns(
  columns: Readonly<Record<string, unknown>>,
  signature: Signature,
  location: readonly (string | number)[],
): SlicedWork<Tensors> {
  return tensorsFromMembers(columns, signature, location, decodeTexts);
}

/** So many cells are taken before others may go on. */
const cellsPerStep = 4096;

function* columnsOf(instances: JsonList, names: readonly string[]): SlicedWork<Record<string, unknown[]>> {
  const columns: [string, unknown[]][] = names.map((name) => [name, []]);
  let row = 0;
  let sinceYield = 0;
  for (const instance of instances) {
    const location = ['body', 'instances', row];
    if (!isJsonObject(instance)) throw mismatch(`instance ${row} must be an object like the first`, location, instance);
    if (Object.keys(instance).length !== names.length || !names.every((name) => Object.hasOwn(instance, name))) {
      const message = `instance ${row} must have the names of the first: ${quoteNames(names)}`;
      throw mismatch(message, location, Object.keys(instance).length);
    }
    for (const [name, column] of columns) column.push(instance[name]);
    row += 1;
    sinceYield += names.length;
    if (sinceYield < cellsPerStep) continue;
    yield undefined;
    sinceYield = 0;
  }
  return Object.fromEntries(columns);
}

function rowsOf(name: string, tensor: Tensor): Nested<unknown>[] {
  const [rows = 0] = tensor.shape;
  return Array.from({ length: rows }, (_, row) => {
    const slice = sliceRows(tensor, row, row + 1);
    return nestElements(elementsOf(name, slice), tensor.shape.slice(1));
  });
}

function writeTensor(name: string, tensor: Tensor): Nested<unknown> {
  return nestElements(elementsOf(name, tensor), tensor.shape);
}

function elementsOf(name: string, tensor: Tensor): (JsonElement | { readonly b64: string })[] {
  const elements = tensorToJson(tensor);
  return tensor.datatype === 'BYTES' && name.endsWith('_bytes') ? elements.map(encodeText) : elements;
}

function notByRow(rows: number, outputs: Tensors): AppError {
  const shapes = Object.entries(outputs).map(([name, { shape }]) => `${JSON.stringify(name)} is [${shape.join(',')}]`);
  const message = `The outputs do not have a value for each of ${rows} rows (${shapes.join(', ')}): use inputs in the place of instances`;
  return new AppError('MODEL_REFUSED_INPUT', { message });
}

function mismatch(message: string, location: readonly (string | number)[], received: unknown): AppError {
  const faults = [{ location, type: 'invalid_type', message }];
  return new AppError('SIGNATURE_MISMATCH', { message, received, faults });
}
