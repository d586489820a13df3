import type { Registry } from '../../models/registry/registry.ts';
import { backgroundTerms } from '../../serving/call-terms.ts';
import type { DeferredWork } from '../../serving/deferred-work.ts';
import type { Infer } from '../../serving/infer.ts';
import { type ServedModel, servedModelOf } from '../../serving/served-model.ts';
import { inTurns } from '../../timing/turns.ts';
import { readExactJsonBody } from '../exact-json-parser.ts';
import { tensorsFromMembers } from '../named-inputs.ts';
import { writeOutputs } from './outputs.ts';
import { checkQuery, type PredictionQuery, wantedOutputs } from './query.ts';

/** What is kept of a request to a model that is answered later. */
export interface ModelOrder {
  readonly model: string;
  /** As it came: parsed, its 64-bit integers would be other objects in every program. */
  readonly body: Uint8Array;
  readonly query: PredictionQuery;
}

/** Name of the work in what is stored. */
export const modelWorkName = 'model';

/** Predicts with any model, later, with the outputs that its route would answer. */
export function modelWork(infer: Infer): DeferredWork {
  return {
    name: modelWorkName,
    async run(input, context) {
      const { model, body, query } = input as ModelOrder;
      const outputs = ({ signature }: ServedModel) => wantedOutputs(query.outputs, signature);
      const request = { ...backgroundTerms(context), model, outputs };
      const encode = async (served: ServedModel) => {
        checkQuery(query, served);
        // Its size was checked when it came.
        const members = await readExactJsonBody(body, Number.POSITIVE_INFINITY);
        return inTurns(tensorsFromMembers(members, served.signature, ['body']));
      };
      const { answer, predictionId } = await infer(request, encode, (inference) => writeOutputs(inference, query));
      return { result: answer, predictionId };
    },
  };
}

/**
 * Checks what will be asked of a model by what is loaded now.
 *
 * @throws AppError `MODEL_NOT_FOUND`, `MODEL_NOT_READY`, and what the predict route throws for such a request
 */
export async function checkOrder(
  registry: Registry,
  name: string,
  members: unknown,
  query: PredictionQuery,
): Promise<void> {
  const lease = registry.acquire(name);
  try {
    const served = servedModelOf(lease);
    checkQuery(query, served);
    await inTurns(tensorsFromMembers(members, served.signature, ['body']));
  } finally {
    lease.release();
  }
}
