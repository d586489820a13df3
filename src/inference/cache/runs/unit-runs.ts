import { type RunEnd, UnitRun } from './unit-run.ts';

/** The runs that are under way, by the keys of their units. */
export class UnitRuns {
  readonly #underWay = new Set<UnitRun>();
  readonly #runs = new Map<string, UnitRun>();

  /** A run of the unit that is at least as urgent. */
  find(key: string, level: number): UnitRun | undefined {
    const run = this.#runs.get(key);
    return run !== undefined && run.level <= level ? run : undefined;
  }

  /**
   * Begins a run that others may join. One of the same unit that is less urgent goes on for those who wait for it.
   *
   * @param start must not reject
   */
  begin(level: number, keys: readonly string[], start: (signal: AbortSignal) => Promise<RunEnd>): UnitRun {
    const run = new UnitRun({ level, units: new Map(keys.map((key, index) => [key, index])) }, start, (ended) =>
      this.#forget(ended),
    );
    this.#underWay.add(run);
    for (const key of keys) this.#runs.set(key, run);
    return run;
  }

  /** Nobody joins what is under way any more. */
  forgetAll(): void {
    this.#runs.clear();
  }

  /** Gives up the runs whose beginners wait for nothing but their end; the next who waits begins each of them anew. */
  giveUpOrphans(): void {
    for (const run of [...this.#underWay]) if (run.isOrphan) run.giveUp();
  }

  #forget(run: UnitRun): void {
    this.#underWay.delete(run);
    for (const key of run.units.keys()) if (this.#runs.get(key) === run) this.#runs.delete(key);
  }
}
