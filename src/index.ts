import type { AnyDomain } from './domains/define-domain.ts';
import { requireDomains } from './domains/require-domains.ts';
import { requireZod } from './domains/require-zod.ts';
import type { RunningServer } from './running-server.ts';

export { z } from 'zod';
export type { Domain, FileInput } from './domains/define-domain.ts';
export { defineDomain } from './domains/define-domain.ts';
export { output } from './domains/output.ts';
export { AppError, type ErrorCode, type Fault } from './errors.ts';
export type { RunningServer } from './running-server.ts';
export type { ServedModel } from './serving/served-model.ts';
export type { DataType } from './tensor/data-type.ts';
export { float32, int32, int64, type Signature, type Tensor, type Tensors, text, uint8 } from './tensor/tensor.ts';

export interface ServerOptions {
  /** Typed faces of models. @default none */
  readonly domains?: readonly AnyDomain[];
  /** Settings by their names in the environment; numbers as text. @default the environment of the process, over a file `.env` */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts a server that listens at once and loads its models behind that; `loaded` tells when they are ready. A start that fails
 * leaves no port, process or timer.
 *
 * @throws AppError `SETTINGS_INVALID` with every bad setting named, `DOMAIN_INVALID` with every fault of the domains
 */
export async function createServer({ domains = [], environment }: ServerOptions = {}): Promise<RunningServer> {
  requireZod();
  const served = requireDomains(domains, 'domains');
  // Not before: with another zod what the server is made of cannot even be loaded, and could not say why.
  const { startOwnServer } = await import('./cli/start-own-server.ts');
  return startOwnServer(served, environment);
}
