import type { StepDefinition } from '../graph-definition.ts';
import type { Needs } from './order.ts';
import type { LocatedStep } from './step-table.ts';

interface Absence {
  /** By step, whether its failure fails the request. */
  readonly required: ReadonlyMap<string, boolean>;
  /** By step that may give nothing, the optional step that it is for. */
  readonly absent: ReadonlyMap<string, string>;
}

/**
 * Which steps a request can do without, and which may therefore give nothing. A step that feeds only combinations that do
 * with less is optional without saying so.
 *
 * @param sorted steps, each after those that it needs
 * @param asOutputs steps whose tensors are outputs of the graph
 */
export function findAbsence(
  steps: ReadonlyMap<string, LocatedStep>,
  { sorted, needs, asOutputs }: { sorted: readonly string[]; needs: Needs; asOutputs: ReadonlySet<string> },
): Absence {
  const readers = new Map<string, string[]>();
  for (const [reader, of] of needs) for (const name of of) readers.set(name, [...(readers.get(name) ?? []), reader]);
  const required = new Map<string, boolean>();
  const absent = new Map<string, string>();
  for (const name of sorted) {
    const located = steps.get(name);
    if (located === undefined) continue;
    const readBy = (readers.get(name) ?? []).map((reader) => steps.get(reader)?.step);
    const spared =
      readBy.length > 0 && !asOutputs.has(name) && readBy.every((reader) => reader && doesWithLess(reader));
    const isRequired = located.step.required ?? !spared;
    required.set(name, isRequired);
    const cause = 'combine' in located.step ? undefined : (needs.get(name) ?? []).find((need) => absent.has(need));
    if (cause !== undefined) absent.set(name, absent.get(cause) ?? cause);
    else if (!isRequired && !hasFallback(located)) absent.set(name, name);
  }
  return { required, absent };
}

/** Whether a combination answers although some of what it is of is not there. */
function doesWithLess(step: StepDefinition): boolean {
  return 'combine' in step && (step.combine === 'first' || step.combine === 'fastest' || step.quorum !== undefined);
}

function hasFallback({ targets }: LocatedStep): boolean {
  const calls = targets.filter(({ call }) => call !== undefined);
  return calls.length > 0 && calls.every(({ call }) => call?.fallback !== undefined);
}
