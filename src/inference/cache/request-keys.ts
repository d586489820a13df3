import type { Signature, Tensors } from '../../tensor/tensor.ts';
import type { PredictContext } from '../predictor.ts';
import { readUnits, type UnitRequest } from './read-units.ts';
import { scopeBytes, UnitKeys } from './unit-key.ts';

/** A request with the keys of its units. */
export interface KeyedRequest extends UnitRequest {
  readonly keys: readonly string[];
  readonly identity: string;
  /** The key of the caller, where answers are for it alone. */
  readonly callerKey: string | undefined;
}

export interface RequestKeysOptions {
  readonly model: string;
  readonly predictor: { readonly signature: Signature };
  readonly maxInputBytes: number;
  readonly scope: 'all' | 'key';
}

/** Scopes whose bytes are kept: one for each choice of outputs, and for each caller. */
const mostScopes = 1000;

/** Makes the keys of the requests to one version. */
export class RequestKeys {
  readonly #options: RequestKeysOptions;
  readonly #keys: UnitKeys;
  readonly #scopes = new Map<string, Uint8Array>();
  /** The scope that was asked for last: most requests have the same. */
  #last: { readonly of: Scope; readonly bytes: Uint8Array } | undefined;

  constructor(options: RequestKeysOptions) {
    this.#options = options;
    this.#keys = new UnitKeys(options.predictor.signature.inputs);
  }

  /**
   * @returns undefined where the cache does not handle the request
   * @throws AppError `SIGNATURE_MISMATCH`, `MALFORMED_TENSOR`
   */
  read(
    inputs: Tensors,
    context: Pick<PredictContext, 'outputs' | 'caller'>,
    { identity, independentRows }: { readonly identity: string; readonly independentRows: boolean },
  ): KeyedRequest | undefined {
    const { predictor, maxInputBytes, scope } = this.#options;
    const { signature } = predictor;
    const units = readUnits(inputs, context, { signature, independentRows, maxInputBytes });
    if (units === undefined) return undefined;
    const callerKey = scope === 'key' ? context.caller?.id : undefined;
    const keys = this.of({ ...units, callerKey }, { identity, count: units.count });
    return { ...units, keys, identity, callerKey };
  }

  /** The keys of units under another identity. */
  of(
    { inputs, outputs, unit, callerKey }: Pick<KeyedRequest, 'inputs' | 'outputs' | 'unit' | 'callerKey'>,
    { identity, count }: { readonly identity: string; readonly count: number },
  ): readonly string[] {
    const scope = this.#scope({ identity, callerKey, unit, outputs });
    const ordered = this.#options.predictor.signature.inputs.flatMap(({ name }) => inputs[name] ?? []);
    return unit === 'row' ? this.#keys.ofRows(scope, ordered, count) : [this.#keys.ofRequest(scope, ordered)];
  }

  #scope(of: Scope): Uint8Array {
    if (this.#last !== undefined && sameScope(this.#last.of, of)) return this.#last.bytes;
    const outputs = of.outputs.map(({ name }) => name);
    const id = JSON.stringify([of.identity, of.callerKey ?? null, of.unit, outputs]);
    const bytes = this.#scopes.get(id) ?? scopeBytes({ model: this.#options.model, ...of, outputs });
    if (this.#scopes.size >= mostScopes) this.#scopes.clear();
    this.#scopes.set(id, bytes);
    this.#last = { of, bytes };
    return bytes;
  }
}

type Scope = Pick<KeyedRequest, 'identity' | 'callerKey' | 'unit' | 'outputs'>;

function sameScope(one: Scope, other: Scope): boolean {
  // All outputs are those of the signature itself.
  if (one.outputs !== other.outputs) return false;
  return one.identity === other.identity && one.callerKey === other.callerKey && one.unit === other.unit;
}
