import type { Signature, Tensor, Tensors } from '../../tensor/tensor.ts';
import { tensorBytes } from '../../tensor/tensor.ts';
import { rowsThatFit } from '../batcher/queue/build-batch.ts';
import { allEqual, disagreement } from './agreement.ts';
import { dependent, type Independence } from './independence.ts';
import { givenSources, madeUpSources, type Row, type RowSource } from './sample-rows.ts';
import type { TrialRunner } from './trial-runner.ts';

export interface ProofOptions {
  readonly trial: TrialRunner;
  readonly signature: Signature;
  /** Warm-up requests of the operator; the rows of the trial are like theirs. */
  readonly given: readonly Tensors[] | undefined;
  /** Words that the model knows, for made-up texts. */
  readonly vocabulary: readonly string[];
  /** Most rows of a run that several requests share. */
  readonly maxSize: number;
  /** Most rows of a run that one request fills. */
  readonly maxRequestRows: number;
  readonly now: () => number;
}

/** Longest that the trial may go on before it does with smaller runs, in milliseconds. */
const budgetMs = 3_000;
/** A runner is given a run while it is at another one. */
const runsUnderWay = 2;
/** Rows that are tried alone, a multiple of {@link runsUnderWay}; a larger run repeats them. */
const distinctRows = 6;
/** Ways to make rows that are tried in all; a model that takes none of them wants a warm-up request. */
const mostSources = 60;
/** Longest that a run for one request alone may take if it is larger than those that requests share, in milliseconds. */
const longestRequestRunMs = 10;

/** Odd neighbours that are tried however long the trial has taken: a busy machine makes no model independent. */
const neededNeighbours = 6;

/** What a model made of rows of one source: each alone. */
interface Singles {
  readonly source: RowSource;
  readonly rows: readonly Row[];
  readonly outputs: readonly (readonly Tensor[])[];
  readonly perRowMs: number;
}

/**
 * Shows by runs whether rows are independent: made-up rows that differ are run each alone, and together in two orders,
 * in runs of two and of as many rows as requests share. Every output must agree, in its whole shape and every value.
 */
export class Proof {
  readonly #options: ProofOptions;
  readonly #outputNames: readonly string[];
  readonly #endMs: number;

  constructor(options: ProofOptions) {
    this.#options = options;
    this.#outputNames = options.signature.outputs.map(({ name }) => name);
    this.#endMs = options.now() + budgetMs;
  }

  async show(): Promise<Independence> {
    const { maxSize } = this.#options;
    let shown: Singles | undefined;
    let provenRows = 1;
    let refused: string | undefined;
    let took = false;
    let tried = 0;
    for (const source of this.#sources()) {
      tried += 1;
      if (tried > mostSources || this.#options.now() > this.#endMs) break;
      // The second trial is of another shape where the model takes more than one.
      if (shown !== undefined && this.#hasFreeDimensions && sameShapes(source.row(0), shown.rows[0])) continue;
      const singles = await this.#runSingly(source, tried * distinctRows);
      if ('refused' in singles) {
        refused ??= singles.refused;
        continue;
      }
      took = true;
      const rowless = rowMismatch(this.#outputNames, singles.outputs);
      if (rowless !== undefined) return dependent(rowless);
      // Outputs that do not tell rows apart can show that rows change each other, but not that they do not.
      const tellsNothing = allEqual(singles.outputs);
      const isFirst = shown === undefined && !tellsNothing;
      const size = isFirst ? this.#affordable(rowsThatFitOf(singles, maxSize), singles) : 2;
      const difference = await this.#compare(singles, size);
      if (difference !== undefined) return dependent(`Rows that share a run change each other: ${difference}.`);
      if (tellsNothing) continue;
      provenRows = Math.max(provenRows, size);
      if (shown !== undefined) break;
      shown = singles;
    }
    if (shown === undefined) return dependent(this.#notShown(took, refused));
    const changed = await this.#besideOddNeighbours(shown);
    if (changed !== undefined) return dependent(`Rows that share a run change each other: ${changed}.`);
    provenRows = Math.max(provenRows, await this.#largeRows(shown, provenRows));
    return {
      independentRows: true,
      why: `Runs of ${Math.min(provenRows, maxSize)} made-up rows gave each row what it gives alone.`,
      provenRows,
    };
  }

  get #hasFreeDimensions(): boolean {
    return this.#options.signature.inputs.some(({ shape }) => shape.includes(-1, 1));
  }

  #sources(): Iterable<RowSource> {
    const { signature, given, vocabulary } = this.#options;
    return given === undefined ? madeUpSources(signature, vocabulary) : givenSources(signature, given);
  }

  async #runSingly(source: RowSource, firstSeed: number): Promise<Singles | { readonly refused: string }> {
    const rows: Row[] = [];
    const outputs: (readonly Tensor[])[] = [];
    let perRowMs = 0;
    // Seeds differ from source to source, or values of every range would have the same order.
    const runOne = async (index: number) => {
      const row = source.row(firstSeed + index);
      return { row, outcome: await this.#options.trial.runRows([row]) };
    };
    for await (const { row, outcome } of runInPairs(distinctRows, runOne)) {
      if ('refused' in outcome) return outcome;
      rows.push(row);
      outputs.push(outcome.outputs);
      perRowMs = outcome.runMs;
    }
    return { source, rows, outputs, perRowMs };
  }

  /** Why rows that share runs of two and of `size` differ from rows alone, in a clause; undefined if they agree. */
  async #compare(singles: Singles, size: number): Promise<string | undefined> {
    const last = distinctRows - 1;
    const orders = [
      [0, 1],
      [last, 0],
      [0, 0],
      ...(size > 2
        ? [repeated(size, (at) => at % distinctRows), repeated(size, (at) => last - (at % distinctRows))]
        : []),
    ];
    const runOrder = (index: number) => this.#runTogether(singles, orders[index] ?? []);
    for await (const { difference } of runInPairs(orders.length, runOrder)) {
      if (difference !== undefined) return difference;
    }
    return undefined;
  }

  /**
   * Why a row differs beside rows that are unlike it, in a clause; undefined if it does not. What a model takes from the
   * whole batch, such as the largest value, may show only where a neighbour is far outside of what the row is.
   */
  async #besideOddNeighbours({ source, rows, outputs }: Singles): Promise<string | undefined> {
    const [row] = rows;
    if (row === undefined) return undefined;
    let tried = 0;
    for (const neighbour of source.oddNeighbours()) {
      tried += 1;
      if (tried > neededNeighbours && this.#options.now() > this.#endMs) return undefined;
      const [first, second] = await Promise.all([
        this.#options.trial.runRows([row, neighbour]),
        this.#options.trial.runRows([neighbour, row]),
      ]);
      // A row that the model refuses shows nothing about others.
      if ('refused' in first || 'refused' in second) continue;
      const difference =
        disagreement(this.#outputNames, outputs, first.outputs, [0, undefined], 'column') ??
        disagreement(this.#outputNames, outputs, second.outputs, [undefined, 0], 'column');
      if (difference !== undefined) return difference;
    }
    return undefined;
  }

  async #runTogether(
    { rows, outputs }: Singles,
    order: readonly number[],
  ): Promise<{ readonly difference: string | undefined; readonly runMs: number }> {
    const outcome = await this.#options.trial.runRows(order.flatMap((at) => [rows[at] ?? []]));
    if ('refused' in outcome) {
      return { difference: `the model refuses ${order.length} rows together: ${outcome.refused}`, runMs: 0 };
    }
    const difference = disagreement(this.#outputNames, outputs, outcome.outputs, order, 'column');
    return { difference, runMs: outcome.runMs };
  }

  /** At most `size`, by halves, so that the trial stays in its time. */
  #affordable(size: number, { perRowMs }: Singles): number {
    const leftMs = this.#endMs - this.#options.now();
    let rows = size;
    while (rows > 2 && 2 * rows * perRowMs > leftMs) rows = Math.ceil(rows / 2);
    return rows;
  }

  /**
   * Most rows of a run that one request may fill by itself. Long requests are cheaper in large runs, as long as these do
   * not keep others waiting; where more than the rows is free in a shape, nothing can be said of other shapes.
   */
  async #largeRows(singles: Singles, provenRows: number): Promise<number> {
    const { maxSize, maxRequestRows } = this.#options;
    if (this.#hasFreeDimensions || provenRows < maxSize) return provenRows;
    let size = rowsThatFitOf(singles, maxRequestRows);
    // A run of many rows costs at most as much for a row as one of a single row.
    const timed = await this.#runTogether(
      singles,
      repeated(provenRows, (at) => at % distinctRows),
    );
    while (size > provenRows && (timed.runMs / provenRows) * size > longestRequestRunMs) size = Math.floor(size / 2);
    if (size <= provenRows) return provenRows;
    const { difference } = await this.#runTogether(
      singles,
      repeated(size, (at) => (at * 3 + 1) % distinctRows),
    );
    return difference === undefined ? size : provenRows;
  }

  #notShown(took: boolean, refused: string | undefined): string {
    const remedy =
      'Give "warmup" requests in model.json, or say "enabled": true in its "batching" if rows are independent.';
    if (took) return `It could not be tried: the outputs for different made-up rows were all the same. ${remedy}`;
    if (refused === undefined) return `It could not be tried. ${remedy}`;
    return `It could not be tried: the model refuses made-up rows (${refused.slice(0, 200)}). ${remedy}`;
  }
}

/** The outcomes of so many runs, in order, of which as many are under way as a runner is given; none begins after the reader ends. */
async function* runInPairs<Outcome>(count: number, run: (index: number) => Promise<Outcome>): AsyncGenerator<Outcome> {
  for (let at = 0; at < count; at += runsUnderWay) {
    const length = Math.min(runsUnderWay, count - at);
    yield* await Promise.all(Array.from({ length }, (_, index) => run(at + index)));
  }
}

function repeated(length: number, at: (index: number) => number): number[] {
  return Array.from({ length }, (_, index) => at(index));
}

function rowsThatFitOf({ rows }: Singles, maxRows: number): number {
  const bytes = (rows[0] ?? []).reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  return Math.max(2, rowsThatFit(maxRows, bytes));
}

function sameShapes(a: Row, b: Row | undefined): boolean {
  return a.every(({ shape }, index) => shape.join() === b?.[index]?.shape.join());
}

/** Why the outputs of single rows do not have one row each, in a sentence. */
function rowMismatch(names: readonly string[], outputs: readonly (readonly Tensor[])[]): string | undefined {
  for (const [index, name] of names.entries()) {
    const shape = outputs.map((tensors) => tensors[index]?.shape).find((one) => one?.[0] !== 1);
    if (shape !== undefined)
      return `The output ${JSON.stringify(name)} has the shape [${shape.join(',')}] for one row.`;
  }
  return undefined;
}
