import type { BareAnswer } from './bare-child.ts';
import type { WireTensor } from './cases.ts';
import type { Reply } from './client.ts';
import { withOneNan } from './elements.ts';

/** What became of a case. Only `different` is a fault. */
export type Verdict =
  /** The bare session runs it, and inferd gives the same. */
  | { readonly kind: 'equal' }
  /** The bare session gives something else every time; types and shapes are the same. */
  | { readonly kind: 'equal but random' }
  /** Neither can load it, and inferd says why. */
  | { readonly kind: 'refused at load'; readonly reason: string }
  /** Both load it and cannot run it, and inferd says why. */
  | { readonly kind: 'refused at run'; readonly reason: string }
  /** The bare session loads it, but it takes or gives sequences, optionals or types without a JavaScript form. */
  | { readonly kind: 'no tensors'; readonly reason: string }
  | { readonly kind: 'different'; readonly reason: string };

export type Bared = BareAnswer | { readonly kind: 'crashed'; readonly reason: string };

/** What inferd did with a case. */
export interface Served {
  readonly load: Reply;
  /** State and reason of the model in the index of the repository. */
  readonly index: { readonly state?: string; readonly reason?: string } | undefined;
  /** Undefined when the model was not loaded, or has inputs that cannot be sent. */
  readonly binary?: Reply;
  readonly json?: Reply;
}

export type Form = 'binary' | 'json';

/** Judges one form of a case: outputs must be the same bits, but for the payload of a NaN in JSON. */
export function judge(bare: Bared, served: Served, form: Form): Verdict {
  const { load } = served;
  if (!load.ok) return judgeLoad(bare, load, served.index);
  if (bare.kind === 'not loaded') return different(`inferd loads it, a bare session does not: ${bare.reason}`);
  const reply = served[form];
  if (reply === undefined) return different('inferd loads it, although its inputs cannot be sent');
  if (!reply.ok) {
    if (bare.kind === 'run') return different(`inferd answers ${reply.status}: ${reply.error}`);
    if (bare.kind === 'not run' && !isClear(reply)) return different(`unclear: ${reply.status} ${reply.error}`);
    return { kind: 'refused at run', reason: reply.error };
  }
  if (bare.kind !== 'run') return different(`inferd answers, the bare session ${bare.kind}`);
  const difference = compare(bare.outputs, reply.outputs, { form, bits: bare.isSame });
  if (difference !== undefined) return different(difference);
  return { kind: bare.isSame ? 'equal' : 'equal but random' };
}

function judgeLoad(bare: Bared, load: Reply & { ok: false }, index: Served['index']): Verdict {
  if (!isClear(load)) return different(`unclear refusal: ${load.status} ${load.error}`);
  if (index?.state !== 'UNAVAILABLE' || !index.reason) {
    return different(`the index says ${JSON.stringify(index)} after the refusal: ${load.error}`);
  }
  if (bare.kind === 'not loaded') return { kind: 'refused at load', reason: load.error };
  const isOfTypes =
    /is no tensor|which cannot be served|is a tensor that can be served|None of the outputs of the model can be served/.test(
      load.error,
    );
  // A bare session can be made, and then not be fed or asked for anything.
  const isUseless = bare.kind !== 'run' || bare.outputs.length === 0;
  if (isOfTypes && isUseless) return { kind: 'no tensors', reason: load.error };
  return different(`inferd does not load it, the bare session ${bare.kind}: ${load.error}`);
}

/** A fault of the request with its reason, not one of the server. */
function isClear({ status, error }: Reply & { ok: false }): boolean {
  return status === 400 && error.length > 10;
}

function compare(
  expected: readonly WireTensor[],
  actual: readonly WireTensor[],
  { form, bits }: { form: Form; bits: boolean },
): string | undefined {
  const describe = (tensors: readonly WireTensor[]) =>
    tensors.map(({ name, datatype, shape }) => `${name} ${datatype} [${shape}]`).join(', ');
  if (describe(expected) !== describe(actual)) return `expected ${describe(expected)}, received ${describe(actual)}`;
  if (!bits) return undefined;
  for (const [index, { name, datatype, base64 }] of expected.entries()) {
    const sides = [base64, actual[index]?.base64 ?? ''].map((side) => {
      const bytes = Buffer.from(side, 'base64');
      return (form === 'json' ? withOneNan(datatype, bytes) : bytes).toString('hex');
    });
    if (sides[0] !== sides[1]) return `${name} (${datatype}): expected ${cut(sides[0])}, received ${cut(sides[1])}`;
  }
  return undefined;
}

function cut(hex = ''): string {
  return hex.length > 200 ? `${hex.slice(0, 200)}…` : hex;
}

function different(reason: string): Verdict {
  return { kind: 'different', reason };
}
