import { readdirSync, readFileSync } from 'node:fs';

/** Time that every thread of a process has spent on a processor, in microseconds. */
export function processorTimeUs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const times = tasks.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]));
  return times.reduce((sum, ns) => sum + ns, 0) / 1000;
}
