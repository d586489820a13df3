import { AppError, type Fault } from '../../../errors.ts';

export type Location = Fault['location'];

/** Every fault of a graph, so that they are told together. */
export class GraphFaults {
  readonly #faults: Fault[] = [];

  /** @param what what was found and what fits; the location stands before it in the message */
  add(location: Location, type: string, what: string): void {
    this.#faults.push({ location, type, message: `${location.join('.')}: ${what}` });
  }

  get isEmpty(): boolean {
    return this.#faults.length === 0;
  }

  /** @throws AppError `GRAPH_INVALID` with all faults, in the order of the file, when there is one */
  throwIfAny(): void {
    if (this.isEmpty) return;
    const faults = this.#faults.toSorted((a, b) => placeInFile(a.location) - placeInFile(b.location));
    const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
    const message = `The graph has ${count}: ${faults.map((fault) => fault.message).join('; ')}`;
    throw new AppError('GRAPH_INVALID', { message, faults });
  }
}

const topLevel = ['headers', 'inputs', 'steps', 'outputs'];

function placeInFile([key, index]: Location): number {
  const place = topLevel.indexOf(String(key)) * 1000;
  return typeof index === 'number' ? place + index : place;
}
