import type { Inference } from '../serving/infer.ts';
import { tensorsBytes } from '../tensor/copy.ts';
import { nestElements, tensorToJson, tensorToNested } from '../tensor/json/json-output.ts';
import { commonRows, rowElements, sliceRows } from '../tensor/rows.ts';
import type { Tensor, Tensors } from '../tensor/tensor.ts';
import { type CapturedPrediction, formatEnd } from './recording/captured-prediction.ts';
import { describeFiles, type KeepingRules, keptJson, omitted } from './recording/kept-value.ts';
import { timeOfUuid } from './recording/prediction-id.ts';

/**
 * The rows that a request becomes, each as the text of a JSON object with the columns of the table: one for each
 * instance, or for each row of tensors whose rows are independent, and else one for the whole request.
 */
export async function predictionRows(
  captured: CapturedPrediction,
  rules: KeepingRules,
  describeFile: DescribeFile,
): Promise<readonly string[]> {
  const { inputs, outputs } = await keptValues(captured, rules, describeFile);
  return inputs.map((input, instance) => rowText(captured, instance, input, outputs[instance] ?? 'null'));
}

/** What can be said of a file of a domain that is not kept, beside its size and digest. */
export type DescribeFile = (domain: string, file: Uint8Array) => object;

interface KeptValues {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

async function keptValues(
  captured: CapturedPrediction,
  rules: KeepingRules,
  describeFile: DescribeFile,
): Promise<KeptValues> {
  const { typed, results, shadowOf } = captured;
  if (shadowOf !== undefined) return keptShadow(captured, rules);
  if (typed === undefined) return keptTensors(captured, rules);
  const { domain, instances } = typed;
  const files = rules.keepsFiles ? undefined : await describeFiles(instances, (file) => describeFile(domain, file));
  return {
    inputs: instances.map((instance) => keptJson(instance, rules, files)),
    outputs: results.map((result) => keptJson(result, rules)),
  };
}

/** The inputs are those of the prediction that it is a shadow of. */
function keptShadow(captured: CapturedPrediction, rules: KeepingRules): KeptValues {
  const { typed, results, rows } = captured;
  return {
    inputs: new Array<string>(rows).fill('null'),
    outputs:
      typed === undefined ? keptTensors(captured, rules).outputs : results.map((result) => keptJson(result, rules)),
  };
}

function keptTensors({ inference, largeInputs, rows }: CapturedPrediction, rules: KeepingRules): KeptValues {
  if (inference === undefined) return { inputs: ['null'], outputs: [] };
  const { independentRows } = inference.model;
  const kept = (tensors: Tensors) =>
    splitTensors(inference, tensors).map((row) => tensorsJson(row, independentRows, rules));
  const inputs = largeInputs === undefined ? kept(inference.inputs) : new Array<string>(rows).fill(largeInputs);
  return { inputs, outputs: kept(inference.outputs) };
}

/** The tensors of each row; the whole tensors alone where rows are not independent. */
function splitTensors({ model, inputs, outputs }: Inference, tensors: Tensors): readonly Tensors[] {
  const rows = model.independentRows ? commonRows([...Object.values(inputs), ...Object.values(outputs)]) : 0;
  if (rows === 0) return [tensors];
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, sliceRows(tensor, row, row + 1)])),
  );
}

function tensorsJson(tensors: Tensors, isRow: boolean, rules: KeepingRules): string {
  const bytes = tensorsBytes(tensors);
  return bytes <= rules.maxBytes ? keptJson(tensorsValue(tensors, isRow), rules) : omittedTensors(tensors, 1);
}

/** What is kept of each row of tensors that are too large. */
export function omittedTensors(tensors: Tensors, rows: number): string {
  const about = Object.entries(tensors).map(([name, { datatype, shape }]) => [
    name,
    { datatype, shape: rows === 1 ? shape : [1, ...shape.slice(1)] },
  ]);
  return omitted({ bytes: tensorsBytes(tensors) / rows, tensors: Object.fromEntries(about) });
}

/** Tensors as nested lists by name; a row of independent ones without its first dimension. */
export function tensorsValue(tensors: Tensors, isRow: boolean): Readonly<Record<string, unknown>> {
  const values = Object.entries(tensors).map(([name, tensor]) => [
    name,
    isRow ? rowValue(tensor) : tensorToNested(tensor),
  ]);
  return Object.fromEntries(values);
}

function rowValue(tensor: Tensor): unknown {
  if (tensor.shape[0] !== 1 || rowElements(tensor.shape) === 0) return tensorToNested(tensor);
  return nestElements(tensorToJson(tensor), tensor.shape.slice(1));
}

function rowText(captured: CapturedPrediction, instance: number, inputs: string, outputs: string): string {
  const { uuid, requestId, caller, model, typed, inference, shadowOf } = captured;
  const columns = {
    at: new Date(timeOfUuid(uuid)).toISOString(),
    id: uuid,
    instance,
    request_id: requestId,
    model: model.name,
    version: model.version,
    domain: typed?.domain,
    key_id: caller?.id,
    key_name: caller?.name,
    status: formatEnd(captured),
    total_ms: round(inference?.totalMs),
    encode_ms: round(inference?.encodeMs),
    queue_ms: round(inference?.timings.queueMs),
    batch_ms: round(inference?.timings.batchMs),
    infer_ms: round(inference?.timings.inferMs),
    batch_rows: inference?.timings.batchRows,
    options: typed?.options,
    ...(shadowOf !== undefined && { role: 'shadow', of_id: shadowOf, of_instance: instance }),
    steps: inference?.steps?.map(({ ms, ...step }) => ({ ...step, ms: round(ms) })),
  };
  return `${JSON.stringify(columns).slice(0, -1)},"inputs":${inputs},"outputs":${outputs}}`;
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 1000) / 1000;
}
