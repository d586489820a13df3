/** How urgent a request is: 1 is the highest level, larger numbers are lower ones; `background` is below all of them. */
export type Priority = number | 'background';

/** Levels of online requests; a lower one than the last counts as the last. */
export const priorityLevels = 10;

/** The level of requests that name none. */
export const defaultPriorityLevel = 5;

/** Below all levels: background requests, which take what the others leave. */
export const backgroundLevel = priorityLevels + 1;

/** The level of a priority; 0 stands for none, as in the Open Inference Protocol. */
export function levelOf(priority: Priority | undefined): number {
  if (priority === 'background') return backgroundLevel;
  if (priority === undefined || priority === 0) return defaultPriorityLevel;
  return Math.min(priority, priorityLevels);
}
