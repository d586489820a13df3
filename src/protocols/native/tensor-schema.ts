import type { DataType } from '../../tensor/data-type.ts';
import type { TensorSpec } from '../../tensor/tensor.ts';
import { classKeys, labelUse, valueName } from './class-labels.ts';

/** A JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** More classes than this would make the document long and no clearer. */
const maxListedClasses = 50;

const elementSchemas: Readonly<Record<DataType, JsonSchema>> = {
  BOOL: { type: 'boolean' },
  UINT8: { type: 'integer', minimum: 0, maximum: 2 ** 8 - 1 },
  UINT16: { type: 'integer', minimum: 0, maximum: 2 ** 16 - 1 },
  UINT32: { type: 'integer', minimum: 0, maximum: 2 ** 32 - 1 },
  // The bounds of 64 bits are no doubles: a program that reads the document by JSON.parse would see others.
  UINT64: { type: 'integer', format: 'uint64', minimum: 0 },
  INT8: { type: 'integer', minimum: -(2 ** 7), maximum: 2 ** 7 - 1 },
  INT16: { type: 'integer', minimum: -(2 ** 15), maximum: 2 ** 15 - 1 },
  INT32: { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
  INT64: { type: 'integer', format: 'int64' },
  FP16: { type: 'number', minimum: -65504, maximum: 65504 },
  FP32: { type: 'number', format: 'float', minimum: -3.4028234663852886e38, maximum: 3.4028234663852886e38 },
  FP64: { type: 'number', format: 'double' },
  BYTES: { type: 'string' },
};

const notFinite = { enum: ['NaN', 'Infinity', '-Infinity'] };

/** What a client may send for an input. */
export function inputSchema(spec: TensorSpec): JsonSchema {
  return describe(nest(elementSchemas[spec.datatype], spec.shape), spec);
}

/** What a client gets for an output, with the class names of `model.json` if it has any. */
export function outputSchema(spec: TensorSpec, labels: readonly string[] | undefined): JsonSchema {
  const { datatype, shape } = spec;
  const plain = nest(outputElement(datatype), shape);
  const use = labelUse(spec);
  if (labels === undefined || use === undefined) return describe(plain, spec);
  if (use === 'indices') {
    const names = { anyOf: [{ type: 'string', ...listed(labels) }, { type: 'integer' }] };
    return describe(nest(names, shape), spec);
  }
  const value = outputElement(datatype);
  const [, classes = -1] = shape;
  const keys = classKeys(labels, classes < 0 ? labels.length : classes);
  const best = {
    type: 'object',
    properties: { label: { type: 'string', ...listed(keys) }, [valueName(spec.name)]: value },
    required: ['label', valueName(spec.name)],
  };
  const rows = shape.slice(0, 1);
  return describe(
    {
      anyOf: [
        { title: 'By class', ...nest(byClass(keys, value), rows) },
        { title: 'With top', ...nest({ type: 'array', items: best }, rows) },
        { title: 'With labels=false', ...plain },
      ],
    },
    spec,
  );
}

function byClass(keys: readonly string[], value: JsonSchema): JsonSchema {
  if (keys.length > maxListedClasses) return { type: 'object', additionalProperties: value };
  const properties = Object.fromEntries(keys.map((key) => [key, value]));
  return { type: 'object', properties, additionalProperties: value };
}

function listed(names: readonly string[]): JsonSchema {
  return names.length > maxListedClasses ? {} : { enum: [...new Set(names)] };
}

function outputElement(datatype: DataType): JsonSchema {
  const element = elementSchemas[datatype];
  return element['type'] === 'number' ? { anyOf: [{ type: 'number' }, notFinite] } : element;
}

/** Lists of the fixed dimensions. An empty shape may be that of a scalar, or of any rank. */
function nest(element: JsonSchema, shape: readonly number[]): JsonSchema {
  if (shape.length === 0) return { anyOf: [element, { type: 'array', items: {} }] };
  return shape.reduceRight<JsonSchema>(
    (items, size) => ({ type: 'array', items, ...(size >= 0 && { minItems: size, maxItems: size }) }),
    element,
  );
}

function describe(schema: JsonSchema, { datatype, shape, dimensions = shape }: TensorSpec): JsonSchema {
  return {
    ...schema,
    description: `${datatype} [${dimensions.map((size) => (size === -1 ? 'any' : size)).join(', ')}]`,
  };
}
