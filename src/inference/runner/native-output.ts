import type { Readable } from 'node:stream';

const maxLineLength = 2_000;
const maxLinesPerWindow = 20;
const windowMs = 10_000;

/**
 * Hands on what native code writes to a stream, line by line, and no more than a log can bear: long lines are cut, and
 * lines beyond 20 in ten seconds are counted instead of written.
 */
export function followNativeOutput(stream: Readable, nowMs: () => number, onLine: (line: string) => void): void {
  let rest = '';
  let windowStartMs = Number.NEGATIVE_INFINITY;
  let lines = 0;

  const write = (line: string) => {
    if (line.trim() === '') return;
    if (nowMs() - windowStartMs >= windowMs) {
      if (lines > maxLinesPerWindow) onLine(`(${lines - maxLinesPerWindow} more lines left out)`);
      windowStartMs = nowMs();
      lines = 0;
    }
    lines += 1;
    if (lines <= maxLinesPerWindow) onLine(line.slice(0, maxLineLength));
  };

  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = (parts.pop() ?? '').slice(0, maxLineLength);
    for (const line of parts) write(line);
  });
  stream.on('end', () => write(rest));
}
