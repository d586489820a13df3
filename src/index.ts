import { packageVersion } from './cli/package-version.ts';
import type { AnyDomain } from './domains/define-domain.ts';
import { type RunningServer, startServer } from './lifespan.ts';
import { readSettings } from './settings.ts';
import { logDestination } from './telemetry/log-destination.ts';
import { createLogger } from './telemetry/logger.ts';

export type { Domain, FileInput } from './domains/define-domain.ts';
export { defineDomain } from './domains/define-domain.ts';
export { output } from './domains/output.ts';
export { AppError, type ErrorCode, type Fault } from './errors.ts';
export type { RunningServer } from './lifespan.ts';
export type { ServedModel } from './serving/infer.ts';
export type { DataType } from './tensor/data-type.ts';
export { float32, int32, int64, type Signature, type Tensor, type Tensors, text, uint8 } from './tensor/tensor.ts';

export interface ServerOptions {
  /** Typed faces of models. @default none */
  readonly domains?: readonly AnyDomain[];
  /** Settings by their names in the environment; numbers as text. @default the environment of the process */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts a server that listens at once and loads its models behind that; `loaded` tells when they are ready.
 *
 * @throws AppError `SETTINGS_INVALID` with every bad setting named
 */
export function createServer({ domains = [], environment = process.env }: ServerOptions = {}): Promise<RunningServer> {
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
