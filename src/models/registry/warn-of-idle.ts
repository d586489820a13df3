import type { Log } from '../../timing/log.ts';
import { idleArms, idleShadow } from './acquire-served.ts';
import type { RegisteredModel } from './registered-model.ts';

/**
 * Says which versions get no requests that were to get some, now that what there is has been loaded.
 *
 * @param named versions that the policy does not select
 */
export function warnOfIdle(model: RegisteredModel, named: readonly string[], log: Pick<Log, 'warn'>): void {
  const { name, versions, served } = model;
  const highest = versions.find(({ version }) => !named.includes(version));
  if (highest?.predictor !== undefined && highest !== served) {
    log.warn(
      { model: name, version: highest.version, serving: served?.version },
      `Version ${highest.version} of the model ${name} answers only where it is asked for: clients of version ${served?.version} cannot use its face`,
    );
  }
  const idle = idleArms(model);
  if (idle.length > 0) log.warn({ model: name, idle }, 'Versions of the split of the traffic get no requests');
  const reason = idleShadow(model);
  if (reason !== undefined) log.warn({ model: name, reason }, 'The shadow gets no copies of requests');
}
