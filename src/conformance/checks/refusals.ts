import type { Level, ModelCheck } from '../check.ts';
import type { Reply } from '../http-client.ts';
import { describe, readJsonObject, show } from '../json.ts';
import type { ModelUnderTest } from '../model-under-test.ts';
import { expect } from '../verdict.ts';

/** A request that a server has to refuse. */
export interface Refusal {
  readonly id: string;
  readonly section: string;
  readonly level: Level;
  /** What is wrong with it, after "A request ". */
  readonly fault: string;
  /**
   * Sends it.
   *
   * @throws NotTried when the model gives no chance to make such a request
   */
  send(model: ModelUnderTest): Promise<Reply>;
}

/** Two checks of each refusal: that it is an error with a text, as the protocol demands, and that the client is blamed. */
export function refusalChecks(refusals: readonly Refusal[]): ModelCheck[] {
  return refusals.flatMap(({ id, section, level, fault, send }): ModelCheck[] => [
    {
      id,
      section,
      level,
      says: `A request ${fault} fails, with {"error": text}`,
      async run(model) {
        const reply = await send(model);
        expect(reply.status >= 400, `it was answered by ${describe(reply)}`);
        const { error } = readJsonObject(reply.body);
        expect(typeof error === 'string' && error !== '', `error is ${show(error)} in ${describe(reply)}`);
      },
    },
    {
      id: `${id}.4xx`,
      section: 'RFC 9110 §15.5',
      level: 'SHOULD',
      says: `A request ${fault} is the fault of the client: 4xx`,
      async run(model) {
        const reply = await send(model);
        expect(reply.status >= 400 && reply.status < 500, `it was answered by ${describe(reply)}`);
      },
    },
  ]);
}
