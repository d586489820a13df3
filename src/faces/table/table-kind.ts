import { z } from 'zod';
import { defineDomain } from '../../domains/define-domain.ts';
import type { TableSettings } from '../../models/face-settings/table-settings.ts';
import { invalidFace } from '../face-faults.ts';
import { type CreatedFace, defineFaceKind, type FaceSource } from '../face-kind.ts';
import { columnSchema, usualType } from './column-schema.ts';
import { areColumns, type Column, readColumns, type TableInputs } from './columns.ts';
import { encodeRecords, type TableRecord } from './encode-records.ts';
import { readOutputs } from './table-outputs.ts';

/** Records of named columns: one input for each, or one matrix of all. */
export const tableKind = defineFaceKind({
  kind: 'table',
  find: ({ material }) => (areColumns(material.predictor.signature) ? 'found' : undefined),
  create: createTable,
});

async function createTable({ material, companions, settings }: FaceSource<'table'>): Promise<CreatedFace> {
  const { name, manifest, graphLabels, predictor } = material;
  const inputs = readColumns(predictor.signature, settings);
  const input = recordSchema(inputs);
  const { labels } = manifest;
  const { schema, target, decode, check } = readOutputs(predictor.signature, {
    labels,
    graphLabels,
    function: settings?.function,
  });
  const given = settings?.template ?? (await companions.object('example.json'));
  const example = given ?? exampleRecord(inputs);
  const domain = defineDomain({
    name,
    model: name,
    summary: manifest.description ?? `Predict ${settings?.target ?? 'with the model'} from a record.`,
    input,
    output: schema,
    // Its run at load says whether it is one.
    examples: [example],
    ...(target !== undefined && { target }),
    unlessIndependent: true,
    form: true,
    encode: (records) => encodeRecords(inputs, records),
    decode: (outputs, records) => decode(outputs, records.length),
  });
  const matrixColumns = inputs.matrix && inputs.columns.map(({ name: column }) => column);
  return { domain, settings: describeTable(inputs, settings), matrixColumns, ...(check !== undefined && { check }) };
}

function describeTable({ columns, matrix }: TableInputs, settings: TableSettings | undefined): CreatedFace['settings'] {
  return {
    kind: 'table',
    ...(matrix !== undefined && { input: matrix.name }),
    ...(settings?.function !== undefined && { function: settings.function }),
    ...(settings?.target !== undefined && { target: settings.target }),
    columns: columns.map(({ datatype, settings: column }) => ({ type: usualType(datatype), ...column })),
    ...(settings?.template !== undefined && { template: settings.template }),
  };
}

function recordSchema({ columns }: TableInputs): z.ZodObject {
  const faults: string[] = [];
  const shape: [string, z.ZodType][] = columns.map((column) => {
    try {
      return [column.name, columnSchema(column)];
    } catch (thrown) {
      faults.push(thrown instanceof Error ? thrown.message : String(thrown));
      return [column.name, z.never()];
    }
  });
  if (faults.length > 0) throw invalidFace(faults);
  return z.strictObject(Object.fromEntries(shape));
}

function exampleRecord({ columns }: TableInputs): TableRecord {
  return Object.fromEntries(columns.map((column) => [column.name, exampleOf(column)]));
}

/** The middle of what there may be, the first of the values; else 1 and "a". */
function exampleOf({ datatype, settings }: Column): string | number | boolean {
  const { min, max, values, type } = settings;
  const [first] = values ?? [];
  if (first !== undefined) return first;
  if (datatype === 'BYTES') return 'a';
  if (datatype === 'BOOL') return true;
  const isWhole = type === 'integer' || (datatype !== 'FP32' && datatype !== 'FP64');
  const middle = min !== undefined && max !== undefined ? (min + max) / 2 : Math.min(max ?? 1, Math.max(min ?? 1, 1));
  return isWhole ? Math.round(middle) : middle;
}
