import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { logDestination } from '../../src/telemetry/log-destination.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { projectDir } from '../helpers/process.ts';

/** Runs a program that logs to its standard output. */
function startProgram(body: string) {
  const program = `
    import { logDestination } from './src/telemetry/log-destination.ts';
    import { createLogger } from './src/telemetry/logger.ts';
    const destination = logDestination({ maxBufferBytes: 1_000_000 });
    const log = createLogger({ level: 'info', pretty: false, destination });
    ${body}`;
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  return spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: projectDir, stdio });
}

describe('the log destination', () => {
  it('writes every line, in order', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'log');
    await using file = await open(path, 'w');
    const destination = logDestination({ fd: file.fd });
    const log = createLogger({ level: 'info', pretty: false, destination });
    for (let i = 0; i < 5000; i += 1) log.info({ i });
    expect(await destination.flush(10_000)).toBe(true);
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).i)).toEqual([...Array(5000).keys()]);
    expect(destination.droppedLines).toBe(0);
  });

  it.each([
    ['a normal exit', 'process.exit(0)'],
    ['the end of the program', ''],
    ['an uncaught error', 'throw new Error("ended")'],
  ])('loses no line at %s', async (_, end) => {
    const child = startProgram(`for (let i = 0; i < 3000; i += 1) log.info({ i });\n${end}`);
    const [output] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    expect(output.trimEnd().split('\n')).toHaveLength(3000);
  });

  it('neither waits for a reader that does not read nor grows: it drops lines, and counts them', async () => {
    const child = startProgram(`
      for (let i = 0; i < 50_000; i += 1) log.info({ i, pad: 'x'.repeat(100) });
      const flushed = await destination.flush(100);
      process.stderr.write(JSON.stringify({ flushed, dropped: destination.droppedLines }));
      process.kill(process.pid, 'SIGKILL');`);
    const [report, [, signal]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    const { flushed, dropped } = JSON.parse(report);
    expect(signal).toBe('SIGKILL');
    expect(flushed).toBe(false);
    expect(dropped).toBeGreaterThan(40_000);
  });
});
