import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInferd } from '../contestants/inferd.ts';
import { folders } from '../options.ts';
import { addFigure, type Round } from './session.ts';

const settleMs = 3000;

/** Resident memory of the main process, idle, with the four models that ship. */
export async function measureIdleMemory(round: Round): Promise<void> {
  const entry = path.join(folders.repository, round.options.built ? 'dist/main.js' : 'src/main.ts');
  const server = await startInferd('inferd-idle', entry, path.join(folders.repository, 'models'));
  try {
    await sleep(settleMs);
    addFigure(round, 'memory.mainMb', residentMb(server.pid));
  } finally {
    await server.stop();
  }
}

/** VmRSS of proc(5), in units of 2^20 bytes. */
function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`No VmRSS of process ${pid}`);
  return Number(kilobytes) / 1024;
}
