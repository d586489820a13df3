import type { TensorSpec, Tensors } from '../../../tensor/tensor.ts';

/** An answer that other servers keep too. */
export interface SharedAnswer {
  readonly answer: Tensors;
  readonly ttlMs: number;
}

/** What an answer must look like to be one. */
export interface AnswerForm {
  /** The wanted outputs, in the order of the signature. */
  readonly outputs: readonly TensorSpec[];
  /** Whether it is of one row. */
  readonly isRow: boolean;
}

/** Answers that servers share. It never throws, and never takes longer than its own time-out. */
export interface SharedAnswers {
  /**
   * @param terms what answers, what its answers look like, and how long it may take at most if that is shorter
   * @returns for each key what is there and has the form
   */
  find(
    keys: readonly string[],
    terms: { readonly identity: string; readonly form: AnswerForm; readonly mostMs: number },
  ): Promise<readonly (SharedAnswer | undefined)[]>;
  /** Forgets all answers of an identity. @returns how many there were */
  clear(identity: string): Promise<number>;
  /** Writes it in the background, if there is room to wait. */
  keep(key: string, answer: Tensors, terms: { readonly identity: string; readonly ttlMs: number }): void;
}
