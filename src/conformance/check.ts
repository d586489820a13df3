import type { ModelUnderTest } from './model-under-test.ts';
import type { ServerUnderTest } from './server-under-test.ts';

/** How binding a check is: MUST where the specification leaves no choice, SHOULD where clients in the field rely on it. */
export type Level = 'MUST' | 'SHOULD';

/** What has to hold, and where that is written. */
export interface CheckDescription {
  /** Stable name, such as `infer.id`. */
  readonly id: string;
  /** The section of the specification that it rests on. */
  readonly section: string;
  readonly level: Level;
  /** What holds, as a sentence. */
  readonly says: string;
}

/** Something about the server itself. */
export interface ServerCheck extends CheckDescription {
  /**
   * @throws NotMet when it does not hold
   * @throws NotTried when this server gives no chance to try it
   */
  run(server: ServerUnderTest): Promise<void>;
}

/** Something about one model; tried with every model. */
export interface ModelCheck extends CheckDescription {
  /**
   * @throws NotMet when it does not hold
   * @throws NotTried when this server or model gives no chance to try it
   */
  run(model: ModelUnderTest): Promise<void>;
}
