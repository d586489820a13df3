import type { AnyDomain } from '../domains/define-domain.ts';
import { startServer } from '../lifespan.ts';
import type { RunningServer } from '../running-server.ts';
import { readSettings } from '../settings.ts';
import { logDestination } from '../telemetry/log-destination.ts';
import { createLogger } from '../telemetry/logger.ts';
import { readEnvironment } from './environment.ts';
import { packageVersion } from './package-version.ts';

/**
 * The server of a program that has its own domains, and its own way to stop.
 *
 * @param environment settings by their names. @default the environment of the process, over a file `.env`
 * @throws AppError `SETTINGS_INVALID` with every bad setting named
 */
export function startOwnServer(
  domains: readonly AnyDomain[],
  environment: Readonly<Record<string, string | undefined>> = readEnvironment(),
): Promise<RunningServer> {
  const settings = readSettings(environment);
  const destination = logDestination();
  const log = createLogger({ level: settings.logLevel, pretty: process.stdout.isTTY, destination });
  return startServer(settings, {
    domains,
    log,
    version: packageVersion(),
    droppedLogLines: () => destination.droppedLines,
  });
}
