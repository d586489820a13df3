import { toAppError } from '../../errors.ts';
import type { PredictContext, Predictor } from '../../inference/predictor.ts';
import { floatValues } from '../../tensor/float-values.ts';
import type { Tensor, Tensors } from '../../tensor/tensor.ts';
import type { TextLimits } from '../../texts/text-limits.ts';
import { type TokenRow, tokenInputs } from '../../texts/token-inputs.ts';

/** Whether texts of unlike length may be padded to one, and why. */
export interface Padding {
  readonly joined: boolean;
  readonly why: string;
}

export interface PaddingTrial {
  readonly predictor: Predictor;
  /** Tokens of texts of unlike lengths; the first two are compared, all of them are run together. */
  readonly rows: readonly TokenRow[];
  /** What they are padded to. */
  readonly length: number;
  readonly limits: TextLimits;
  readonly context: PredictContext;
}

/**
 * Runs texts alone and padded together: whether an answer depends on its padding and its neighbours is seen, not assumed.
 *
 * @returns never throws: what cannot be tried is not padded
 */
export async function provePadding(trial: PaddingTrial): Promise<Padding> {
  const { predictor, rows, length, limits, context } = trial;
  const { signature } = predictor;
  if (!signature.inputs.some(({ name }) => name === 'attention_mask')) {
    return { joined: false, why: 'The model has no attention_mask, so that padding would be read as text.' };
  }
  const run = async (some: readonly TokenRow[], of: number) => {
    const { outputs } = await predictor.predict(tokenInputs(signature, some, of, limits), context);
    return outputs;
  };
  try {
    const together = await run(rows, length);
    for (const [row, tokens] of rows.slice(0, 2).entries()) {
      const alone = await run([tokens], tokens.ids.length);
      const difference = differenceOf(alone, together, {
        row,
        rows: rows.length,
        tokens: tokens.ids.length,
        length,
        paddingSide: limits.paddingSide,
      });
      if (difference !== undefined) return { joined: false, why: `Padded, a text gives other numbers: ${difference}.` };
    }
    return { joined: true, why: 'Texts of unlike length gave the same numbers alone and padded together.' };
  } catch (thrown) {
    if (context.signal.aborted) throw thrown;
    return { joined: false, why: `Texts of unlike length could not be run together: ${toAppError(thrown).message}` };
  }
}

interface Place {
  readonly row: number;
  readonly rows: number;
  /** Of the row, of which the output may have a vector each. */
  readonly tokens: number;
  readonly length: number;
  readonly paddingSide: TextLimits['paddingSide'];
}

const tolerance = { absolute: 1e-5, relative: 1e-4 } as const;

function differenceOf(alone: Tensors, together: Tensors, place: Place): string | undefined {
  for (const [name, one] of Object.entries(alone)) {
    const both = together[name];
    if (both === undefined || !fits(one, both, place)) {
      return `${name} has the shape [${one.shape.join(',')}] alone, [${both?.shape.join(',') ?? ''}] for ${place.rows}`;
    }
    const [expected, received] = [valuesOf(one), valuesOf(both)];
    const start = place.row * (received.length / place.rows) + paddingBefore(one, both, place);
    for (let index = 0; index < expected.length; index++) {
      const [a, b] = [expected[index] ?? Number.NaN, received[start + index] ?? Number.NaN];
      if (Math.abs(a - b) <= tolerance.absolute + tolerance.relative * Math.abs(a) || Object.is(a, b)) continue;
      return `${name} is ${a} alone and ${b} padded`;
    }
  }
  return undefined;
}

/** Values of the padding that stands before those of a text, where there is a vector for each token. */
function paddingBefore(
  { shape: one }: Tensor,
  { shape: both }: Tensor,
  { tokens, length, paddingSide }: Place,
): number {
  const byToken = one[1] === tokens && both[1] === length && tokens !== length;
  if (!byToken || paddingSide === 'right') return 0;
  return (length - tokens) * both.slice(2).reduce((product, dimension) => product * dimension, 1);
}

/** Whether an output has a row for each text, and perhaps a vector for each of its tokens. */
function fits({ shape: one }: Tensor, { shape: both }: Tensor, { rows, tokens, length }: Place): boolean {
  if (one.length !== both.length || one[0] !== 1 || both[0] !== rows) return false;
  const byToken = one[1] === tokens && both[1] === length;
  return one.every((size, axis) => axis === 0 || size === both[axis] || (axis === 1 && byToken));
}

function valuesOf(tensor: Tensor): ArrayLike<number> {
  const floats = floatValues(tensor);
  if (floats !== undefined) return floats;
  return Array.from<unknown, number>(tensor.data, (value) => (typeof value === 'string' ? Number.NaN : Number(value)));
}
