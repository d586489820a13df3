import closeWithGrace from 'close-with-grace';
import type { Role } from '../app.ts';
import { startServer } from '../lifespan.ts';
import { readSettings } from '../settings.ts';
import { logDestination } from '../telemetry/log-destination.ts';
import { createLogger } from '../telemetry/logger.ts';
import { readEnvironment } from './environment.ts';
import { packageVersion } from './package-version.ts';
import { shippedDomains } from './shipped-domains.ts';

/** How long the reader of the log may take for the last lines. */
const logFlushTimeoutMs = 2000;

/**
 * Serves the model repository until a signal ends the process.
 *
 * @param overrides settings by their names in the environment, which they take the place of
 * @param role what the process is for
 */
export async function serve(overrides: Readonly<Record<string, string>> = {}, role: Role = 'server'): Promise<void> {
  const settings = readSettings({ ...readEnvironment(), ...overrides });
  const destination = logDestination();
  const log = createLogger({ level: settings.logLevel, pretty: process.stdout.isTTY, destination });
  const server = await startServer(settings, {
    domains: shippedDomains(),
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
