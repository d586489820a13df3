import { shapeText } from '../../tensor/check-signature.ts';
import { isDataType } from '../../tensor/data-type.ts';
import { quote } from '../../tensor/malformed-tensor.ts';
import type { Signature, TensorSpec } from '../../tensor/tensor.ts';
import { maxRank } from '../../tensor/tensor-header.ts';
import { unusable } from './failures.ts';

/** A tensor as metadata describe it. */
export interface DescribedTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/**
 * The signature of a model from the metadata of its server.
 *
 * @throws RemoteFailure `REMOTE_FAILED` for one that cannot be asked from here
 */
export function signatureOf(metadata: {
  readonly inputs: readonly DescribedTensor[];
  readonly outputs: readonly DescribedTensor[];
}): Signature {
  const inputs = metadata.inputs.map(specOf);
  const outputs = metadata.outputs.map(specOf);
  if (outputs.length === 0) throw unusable('its metadata name no outputs');
  for (const specs of [inputs, outputs]) {
    if (new Set(specs.map(({ name }) => name)).size !== specs.length)
      throw unusable('its metadata name a tensor twice');
  }
  return { inputs, outputs };
}

function specOf({ name, datatype, shape }: DescribedTensor): TensorSpec {
  if (!isDataType(datatype)) throw unusable(`its ${quote(name)} is ${quote(datatype)}, which is not known here`);
  if (shape.length > maxRank || !shape.every((size) => Number.isSafeInteger(size) && size >= -1)) {
    throw unusable(`its ${quote(name)} has the shape ${shapeText(shape.slice(0, maxRank + 1))}`);
  }
  return { name, datatype, shape: [...shape] };
}

/** What is not the same in both, in words; undefined if clients of the one can be those of the other. */
export function signatureChange(before: Signature, now: Signature): string | undefined {
  const changes = [
    ...changesOf('input', before.inputs, now.inputs),
    ...changesOf('output', before.outputs, now.outputs),
  ];
  return changes.length === 0 ? undefined : changes.slice(0, 10).join('; ');
}

function* changesOf(what: string, before: readonly TensorSpec[], now: readonly TensorSpec[]): Generator<string> {
  const found = new Map(now.map((spec) => [spec.name, spec]));
  for (const spec of before) {
    const other = found.get(spec.name);
    if (other === undefined) yield `the ${what} ${quote(spec.name)} is gone`;
    else if (specText(spec) !== specText(other)) {
      yield `the ${what} ${quote(spec.name)} was ${specText(spec)} and is ${specText(other)}`;
    }
    found.delete(spec.name);
  }
  for (const spec of found.values()) yield `the ${what} ${quote(spec.name)} is new`;
}

function specText({ datatype, shape }: TensorSpec): string {
  return `${datatype} ${shapeText(shape)}`;
}
