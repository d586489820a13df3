/** How often something happened, and how long all of it took. */
export class Total {
  count = 0;
  ms = 0;

  add(durationMs: number): void {
    this.count += 1;
    this.ms += durationMs;
  }
}
