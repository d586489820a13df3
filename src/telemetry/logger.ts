import { type Logger, pino, type TransportSingleOptions } from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  /** Lines for people instead of JSON. */
  readonly pretty: boolean;
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

/** Writes one line an event to standard output. */
export function createLogger({ level, pretty }: LoggerOptions): Logger {
  return pino({
    level,
    redact: { paths: [...secretPaths, ...secretHeaders], censor: '[redacted]' },
    ...(pretty && { transport: prettyTransport }),
  });
}
