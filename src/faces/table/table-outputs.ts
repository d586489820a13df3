import { z } from 'zod';
import type { Manifest } from '../../models/manifest.ts';
import { classNamesOf } from '../../tensor/class-names.ts';
import type { Signature, Tensor, TensorSpec, Tensors } from '../../tensor/tensor.ts';
import { refuseFaults } from '../face-faults.ts';
import type { ClassFunction } from '../image-classification/classify.ts';
import {
  type Classes,
  checkClasses,
  greatest,
  indexOfLabel,
  type OutputValue,
  probabilitiesOf,
  wrongOutput,
} from './classes.ts';

/** How outputs become results. */
export interface TableOutputs {
  /** Documents a result. */
  readonly schema: z.ZodObject;
  /** Field of a result that is the answer proper; undefined where there are several. */
  readonly target: string | undefined;
  /** One result for each row. */
  decode(outputs: Tensors, rows: number): Record<string, unknown>[];
  /**
   * Looks at what the example has given.
   *
   * @throws AppError `FACE_INVALID` where its numbers are no probabilities, or its label is of no known class
   */
  check?(outputs: Tensors): void;
}

export interface TableOutputOptions {
  readonly labels: Manifest['labels'];
  readonly graphLabels: Manifest['labels'];
  /** How the output with labels becomes probabilities. @default it has them */
  readonly function?: ClassFunction | undefined;
}

/** Of results with classes. */
const resultFields: ReadonlySet<string> = new Set(['label', 'probability', 'probabilities']);

const scalar = z.union([z.number(), z.string(), z.boolean()]).nullable().describe('null where it is no finite number');

/**
 * Finds out what the outputs mean: an output with labels are the probabilities of classes, another one of one value a row
 * that is no fraction the label; all others are values.
 *
 * @throws AppError `FACE_INVALID` for outputs that are not one value, or one list, for each row
 */
export function readOutputs(
  { outputs }: Signature,
  { labels, graphLabels, function: name }: TableOutputOptions,
): TableOutputs {
  const faults = outputs.flatMap((output) => faultsOf(output, classNamesOf(labels, output.name)));
  refuseFaults(faults);
  const labelled = outputs.find(({ name, shape }) => classNamesOf(labels, name) !== undefined && shape.length === 2);
  const names = labelled && classNamesOf(labels, labelled.name);
  if (labelled === undefined || names === undefined) {
    if (name !== undefined) refuseFaults(['face.function: no output of [rows, classes] has labels']);
    return values(outputs, labels);
  }
  const label = outputs.find((output) => output !== labelled && isLabel(output));
  const ofGraph = graphLabels[labelled.name] ?? (label && graphLabels[label.name]);
  const graphNames = ofGraph?.length === names.length ? ofGraph : undefined;
  const classes: Classes = { output: labelled.name, names, graphNames, function: name };
  const others = outputs.filter((output) => output !== labelled && output !== label);
  refuseFaults(
    others
      .filter(({ name }) => resultFields.has(name))
      .map(({ name }) => `the output ${name} has the name of another field of the result; rename it`),
  );
  return probabilities(classes, label?.name, others);
}

function faultsOf(output: TensorSpec, labels: readonly string[] | undefined): readonly string[] {
  const { name, shape, datatype } = output;
  if (shape.length !== 1 && shape.length !== 2) {
    return [`the output ${name} has the shape [${shape.join(',')}], expected [rows] or [rows, values]`];
  }
  if (datatype === 'FP16') return [`the output ${name} is FP16, which no result has; add the node Cast`];
  const width = shape[1] ?? 1;
  const twice = labels?.find((label, index) => labels.indexOf(label) !== index);
  if (twice !== undefined) return [`labels.${name}: two classes have the name ${JSON.stringify(twice)}`];
  if (labels === undefined || width === -1 || width === labels.length || isPlace(output)) return [];
  return [`labels.${name}: the output has ${width} columns, ${labels.length} labels are given`];
}

function isLabel(output: TensorSpec): boolean {
  const { datatype } = output;
  return isOneValue(output) && datatype !== 'FP32' && datatype !== 'FP64';
}

/** Whether labels name the numbers of an output, and not its columns. */
function isPlace(output: TensorSpec): boolean {
  return isLabel(output) && output.datatype !== 'BYTES' && output.datatype !== 'BOOL';
}

function probabilities(classes: Classes, label: string | undefined, others: readonly TensorSpec[]): TableOutputs {
  const { names, output } = classes;
  const probability = z.number().min(0).max(1).nullable();
  const shape = Object.fromEntries(names.map((name) => [name, probability]));
  const schema = z.object({
    label: z
      .literal([...names])
      .describe(label === undefined ? 'The most probable class' : 'The class that the model chooses'),
    probability: probability.describe('Probability of that class; null where the model gives no finite number'),
    probabilities: z.object(shape).describe('Probability of each class'),
    ...Object.fromEntries(others.map((other) => [other.name, valueSchema(other)])),
  });
  const scoresOf = (outputs: Tensors, rows: number) => {
    const scores = cellsOf(outputs, output, rows);
    if (scores.some((row) => row.length !== names.length)) {
      throw wrongOutput(output, `${scores[0]?.length ?? 0} columns`, `${names.length}, as it has labels`);
    }
    return scores.map((row) => row.map((score) => (typeof score === 'number' ? score : null)));
  };
  const decode = (outputs: Tensors, rows: number) => {
    const scores = scoresOf(outputs, rows).map((row) => probabilitiesOf(row, classes));
    const chosen = label === undefined ? undefined : cellsOf(outputs, label, rows);
    const rest = others.map(
      ({ name, shape: of }) => [name, cellsOf(outputs, name, rows), of.length === 1 || of[1] === 1] as const,
    );
    return scores.map((row, index) => {
      const best = chosen === undefined ? greatest(row) : indexOfLabel(chosen[index]?.[0], classes);
      return {
        label: names[best],
        probability: row[best],
        probabilities: Object.fromEntries(names.map((name, column) => [name, row[column]])),
        ...Object.fromEntries(rest.map(([name, cells, isOne]) => [name, isOne ? cells[index]?.[0] : cells[index]])),
      };
    });
  };
  const check = (outputs: Tensors) => {
    const [row = []] = scoresOf(outputs, 1);
    checkClasses(row, label === undefined ? undefined : cellsOf(outputs, label, 1)[0]?.[0], classes);
  };
  return { schema, target: 'label', decode, check };
}

function values(outputs: readonly TensorSpec[], labels: Manifest['labels']): TableOutputs {
  const [only] = outputs;
  const isAlone = outputs.length === 1 && only !== undefined;
  const nameOf = (output: TensorSpec) => (isAlone ? (isOneValue(output) ? 'value' : 'values') : output.name);
  const namesOf = (output: TensorSpec) => (isPlace(output) ? classNamesOf(labels, output.name) : undefined);
  const schemaOf = (output: TensorSpec) => {
    const names = namesOf(output);
    return names === undefined
      ? valueSchema(output)
      : z.literal([...names]).describe('The class that the model chooses');
  };
  const schema = z.object(Object.fromEntries(outputs.map((output) => [nameOf(output), schemaOf(output)])));
  const decode = (tensors: Tensors, rows: number) => {
    const cells = outputs.map((output) => [output, cellsOf(tensors, output.name, rows)] as const);
    return Array.from({ length: rows }, (_, row) =>
      Object.fromEntries(
        cells.map(([output, of]) => {
          const names = namesOf(output);
          const value = isOneValue(output) ? of[row]?.[0] : of[row];
          return [nameOf(output), names === undefined ? value : className(output.name, Number(value), names)] as const;
        }),
      ),
    );
  };
  const label = outputs.find(isLabel);
  const target = isAlone ? nameOf(only) : label?.name;
  return { schema, target, decode };
}

/** @throws AppError `INTERNAL` for a number that no class has */
function className(output: string, place: number, names: readonly string[]): string {
  const name = names[place];
  if (name !== undefined) return name;
  throw wrongOutput(output, `the label ${place}`, `a number from 0 to ${names.length - 1}, as it has labels`);
}

function isOneValue({ shape }: TensorSpec): boolean {
  return shape.length === 1 || shape[1] === 1;
}

function valueSchema(output: TensorSpec): z.ZodType {
  return isOneValue(output) ? scalar : z.array(scalar);
}

/** The elements of an output, a list for each row. */
function cellsOf(outputs: Tensors, name: string, rows: number): OutputValue[][] {
  const tensor = outputs[name];
  if (tensor === undefined || tensor.shape[0] !== rows) {
    throw wrongOutput(name, `the shape [${tensor?.shape.join(',') ?? 'none'}]`, `${rows} rows`);
  }
  const width = tensor.data.length / Math.max(1, rows);
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: width }, (_cell, column) => elementOf(tensor, row * width + column)),
  );
}

function elementOf({ datatype, data }: Tensor, index: number): OutputValue {
  const element = data[index];
  if (typeof element === 'bigint') {
    const number = Number(element);
    return Number.isSafeInteger(number) ? number : String(element);
  }
  if (datatype === 'BOOL') return element === 1;
  if (typeof element === 'number') return Number.isFinite(element) ? element : null;
  return element ?? null;
}
