import { type DestinationStream, pino } from 'pino';

export interface LogDestinationOptions {
  /** @default 1, standard output */
  readonly fd?: number;
  /** Most bytes that wait for a slow reader; lines beyond are dropped. @default 8 MiB */
  readonly maxBufferBytes?: number;
}

/** Where log lines go. Writing never waits for the reader: what it does not take waits here, and is bounded. */
export interface LogDestination {
  readonly stream: DestinationStream;
  /** Lines that were given up because too much waited. */
  readonly droppedLines: number;
  /** Resolves when every line is written, or the time is up; says whether all were. */
  flush(timeoutMs: number): Promise<boolean>;
}

/**
 * Writes off the main thread, gathering lines while a write is under way. At the exit of the process, also after an
 * uncaught error, what waits is written at once; only a kill loses lines, those that wait.
 */
export function logDestination({ fd = 1, maxBufferBytes = 8 * 2 ** 20 }: LogDestinationOptions = {}): LogDestination {
  // A least length of one byte, as without any the stream takes itself for flushed while it still writes.
  const stream = pino.destination({ dest: fd, sync: false, minLength: 1, maxLength: maxBufferBytes });
  let droppedLines = 0;
  stream.on('drop', () => {
    droppedLines += 1;
  });
  return {
    stream,
    get droppedLines() {
      return droppedLines;
    },
    flush: (timeoutMs) =>
      new Promise((resolve) => {
        const giveUp = setTimeout(() => resolve(false), timeoutMs);
        stream.flush(() => {
          clearTimeout(giveUp);
          resolve(true);
        });
      }),
  };
}
