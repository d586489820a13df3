import closeWithGrace from 'close-with-grace';
import type { Role } from '../app.ts';
import { startServer } from '../lifespan.ts';
import { readSettings } from '../settings.ts';
import { logDestination } from '../telemetry/log-destination.ts';
import { createLogger } from '../telemetry/logger.ts';
import { collectYoung } from './collect-young.ts';
import { readEnvironment } from './environment.ts';
import { packageVersion } from './package-version.ts';
import { readDomains } from './read-domains.ts';

/** How long the reader of the log may take for the last lines. */
const logFlushTimeoutMs = 2000;

/** What the command line says of a server or a worker. */
export interface ServeOptions {
  /** Settings by their names in the environment, which they take the place of. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Module of the domains. @default those of the models that come along */
  readonly domains?: string | undefined;
}

/**
 * Serves the model repository until a signal ends the process.
 *
 * @param role what the process is for
 * @throws AppError `SETTINGS_INVALID` with every bad setting named, `DOMAIN_INVALID` when the module has none
 */
export async function serve(options: ServeOptions = {}, role: Role = 'server'): Promise<void> {
  collectYoung();
  const settings = readSettings({ ...readEnvironment(), ...options.settings });
  const domains = await readDomains(options.domains);
  const destination = logDestination();
  const log = createLogger({ level: settings.logLevel, pretty: process.stdout.isTTY, destination });
  const server = await startServer(settings, {
    domains,
    log,
    role,
    version: packageVersion(),
    droppedLogLines: () => destination.droppedLines,
  });

  const longestStopMs = settings.drainDelayMs + settings.shutdownTimeoutMs;
  closeWithGrace({ delay: longestStopMs, logger: log }, async ({ signal, err }) => {
    if (err !== undefined) log.fatal({ err }, 'Uncaught error');
    log.info(`${signal ?? 'An error'} received: answering what is in flight, then stopping`);
    await server.stop();
    log.info('Stopped');
    log.flush();
    // A write that a stuck reader does not take would hold up the exit of the process for ever.
    if (!(await destination.flush(logFlushTimeoutMs))) process.kill(process.pid, 'SIGKILL');
  });
  await server.loaded;
}
