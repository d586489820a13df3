/** What each step needs, by name. */
export type Needs = ReadonlyMap<string, readonly string[]>;

export interface Order {
  /** Each step after those that it needs; steps of circles are not in it, and those that need them. */
  readonly sorted: readonly string[];
  /** One circle of each knot, such as `a, b, a`. */
  readonly circles: readonly (readonly string[])[];
}

/** The order in which steps can run; steps that can at once are in the order of the file (A. B. Kahn, 1962). */
export function orderSteps(needs: Needs): Order {
  const open = new Map([...needs].map(([name, of]) => [name, new Set(of.filter((need) => needs.has(need)))]));
  const sorted: string[] = [];
  for (let ready = firstReady(open); ready !== undefined; ready = firstReady(open)) {
    sorted.push(ready);
    open.delete(ready);
    for (const waits of open.values()) waits.delete(ready);
  }
  const circles: string[][] = [];
  for (let start = open.keys().next().value; start !== undefined; start = open.keys().next().value) {
    const circle = walkIntoCircle(start, open);
    circles.push([...circle, circle[0] ?? start]);
    for (const name of circle) open.delete(name);
    dropEnds(open);
  }
  return { sorted, circles };
}

function firstReady(open: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  for (const [name, waits] of open) if (waits.size === 0) return name;
  return undefined;
}

/** Every step that is left needs one that is left, so that a walk over needs meets a step again. */
function walkIntoCircle(start: string, open: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const walked: string[] = [];
  let name: string | undefined = start;
  while (name !== undefined && !walked.includes(name)) {
    walked.push(name);
    name = open.get(name)?.values().next().value;
  }
  return walked.slice(name === undefined ? 0 : walked.indexOf(name));
}

/** Steps that only need what has been told. */
function dropEnds(open: Map<string, Set<string>>): void {
  for (const waits of open.values()) for (const name of waits) if (!open.has(name)) waits.delete(name);
  for (let ready = firstReady(open); ready !== undefined; ready = firstReady(open)) {
    open.delete(ready);
    for (const waits of open.values()) waits.delete(ready);
  }
}
