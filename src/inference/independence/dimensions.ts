import type { Signature, TensorSpec } from '../../tensor/tensor.ts';

/**
 * Why the shapes of a signature rule out that its first dimensions count independent rows, in a sentence; undefined if
 * they do not. A first dimension whose name comes again elsewhere is compared with itself (similarities, masks), and
 * inputs whose first dimensions have unlike names count unlike things.
 */
export function dimensionObstacle({ inputs, outputs }: Signature): string | undefined {
  if (inputs.length === 0) return 'The model has no input.';
  const fixed = inputs.find(({ shape }) => shape[0] !== -1);
  if (fixed !== undefined) {
    const [first] = fixed.shape;
    if (first === undefined) return `The input ${quote(fixed.name)} has no dimension that could count rows.`;
    return `The first dimension of the input ${quote(fixed.name)} is fixed at ${first}.`;
  }
  const rows = new Set(inputs.map(firstName).filter((name) => name !== undefined));
  if (rows.size > 1) {
    return `The first dimensions of the inputs have different names (${[...rows].join(', ')}), so they may count different things.`;
  }
  const [name] = rows;
  if (name === undefined) return undefined;
  for (const value of [...inputs, ...outputs]) {
    const axis = value.dimensions?.indexOf(name, 1) ?? -1;
    if (axis > 0) {
      return `The first dimension ${quote(name)} comes again as dimension ${axis} of ${quote(value.name)}, so that rows meet each other.`;
    }
  }
  return undefined;
}

function firstName({ dimensions }: TensorSpec): string | undefined {
  const first = dimensions?.[0];
  return typeof first === 'string' ? first : undefined;
}

function quote(name: string): string {
  return JSON.stringify(name);
}
