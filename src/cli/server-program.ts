import type { Role } from '../app.ts';
import { type StartedServer, startServer } from '../lifespan.ts';
import { readSettings, type Settings } from '../settings.ts';
import { type LogDestination, logDestination } from '../telemetry/log-destination.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { collectYoung } from './collect-young.ts';
import { readEnvironment } from './environment.ts';
import { packageVersion } from './package-version.ts';
import { readDomains } from './read-domains.ts';
import { requireWork } from './require-work.ts';

/** How long the reader of the log may take for the last lines. */
const logFlushTimeoutMs = 2000;

/** What the command line says of a server or a worker. */
export interface ServeOptions {
  /** Settings by their names in the environment, which they take the place of. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Module of the domains. @default those of the shipped models */
  readonly domains?: string | undefined;
}

/** A server, or a worker, that has the process to itself. */
export class ServerProgram {
  readonly log: Logger;
  readonly #destination: LogDestination;
  readonly #settings: Settings;
  readonly #domains: string | undefined;
  readonly #role: Role;
  #server: Promise<StartedServer> | undefined;

  /** @throws AppError `SETTINGS_INVALID` with every bad setting named */
  constructor(options: ServeOptions, role: Role) {
    this.#settings = readSettings({ ...readEnvironment(), ...options.settings });
    if (role === 'worker') requireWork(this.#settings);
    this.#domains = options.domains;
    this.#role = role;
    this.#destination = logDestination();
    this.log = createLogger({
      level: this.#settings.logLevel,
      pretty: process.stdout.isTTY,
      destination: this.#destination,
    });
  }

  /**
   * Starts the server; resolves when its models are loaded. One whose models cannot be fetched is stopped.
   *
   * @param signal ends the start
   * @throws AppError `DOMAIN_INVALID` when the module of domains has none, what the start throws, the reason of the signal
   */
  async run(signal: AbortSignal): Promise<void> {
    collectYoung();
    const domains = await readDomains(this.#domains);
    signal.throwIfAborted();
    this.#server = startServer(this.#settings, {
      domains,
      log: this.log,
      role: this.#role,
      version: packageVersion(),
      droppedLogLines: () => this.#destination.droppedLines,
      signal,
    });
    const { loaded, stop } = await this.#server;
    try {
      await loaded;
    } catch (thrown) {
      // Its errors have been logged; why nothing can be served is what matters.
      await stop().catch(() => {});
      throw thrown;
    }
  }

  /** Stops the server for a signal or an error, as far as it has started, and writes the log to its end. */
  async end(signal: string | undefined, error: unknown): Promise<void> {
    if (error !== undefined) this.log.fatal({ err: error }, 'Uncaught error');
    this.log.info(`${signal ?? 'An error'} received: answering what is in flight, then stopping`);
    const { drainDelayMs, shutdownTimeoutMs } = this.#settings;
    const longestStopMs = drainDelayMs + shutdownTimeoutMs;
    const timer = setTimeout(() => {
      this.log.error(`The stop takes longer than ${longestStopMs} ms: ending at once`);
      process.exit(1);
    }, longestStopMs);
    try {
      // A start that was interrupted has ended what it had begun before it rejects.
      const server = await this.#server?.catch(() => undefined);
      await server?.stop();
      this.log.info('Stopped');
    } finally {
      clearTimeout(timer);
      this.log.flush();
      // A write that a stuck reader does not take would block the exit of the process.
      if (!(await this.#destination.flush(logFlushTimeoutMs))) process.kill(process.pid, 'SIGKILL');
    }
  }
}
