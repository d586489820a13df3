/** Whether the rows of a model are independent of each other, so that requests can share a run. */
export interface Independence {
  /** Whether requests share runs, and long ones are cut. */
  readonly independentRows: boolean;
  /** In a sentence, for people. */
  readonly why: string;
  /** Most rows of a run for which it holds. */
  readonly provenRows: number;
}

export function dependent(why: string): Independence {
  return { independentRows: false, why, provenRows: 1 };
}
