import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const lookEveryMs = 20;

/**
 * Resolves when no process has that text in its command any more. Where the system does not tell of its processes, at once.
 *
 * @throws Error that names those that are left after `patienceMs`
 */
export async function whenNoProcessHas(text: string, patienceMs = 15_000): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  for (let left = await processesWith(text); left.length > 0; left = await processesWith(text)) {
    if (performance.now() > deadlineMs) throw new Error(`The processes ${left.join(', ')} go on with ${text}`);
    await delay(lookEveryMs);
  }
}

async function processesWith(text: string): Promise<string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  // A process may end while it is looked at.
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, index) => commands[index]?.includes(text));
}
