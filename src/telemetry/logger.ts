import { type Logger, pino, type TransportSingleOptions } from 'pino';
import type { LogDestination } from './log-destination.ts';

export type { Logger } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  /** Lines for people instead of JSON, to standard output. */
  readonly pretty: boolean;
  readonly destination: LogDestination;
}

/** Never logged, wherever they stand in a logged object. */
const secretPaths = ['authorization', 'cookie', 'password', 'token', 'apiKey', 'api_key', 'secret'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
]);
const secretHeaders = ['req.headers["x-api-key"]', 'headers["x-api-key"]'];

const prettyTransport: TransportSingleOptions = {
  target: 'pino-pretty',
  options: { ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' },
};

/** Writes one line an event to the destination. */
export function createLogger({ level, pretty, destination }: LoggerOptions): Logger {
  const options = { level, redact: { paths: [...secretPaths, ...secretHeaders], censor: '[redacted]' } };
  return pretty ? pino({ ...options, transport: prettyTransport }) : pino(options, destination.stream);
}
