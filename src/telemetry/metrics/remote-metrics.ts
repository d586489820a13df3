import type { Registry } from 'prom-client';
import type { RemoteCounters } from '../../served/remote-counters.ts';
import type { ServedCounters } from '../../served/served-counters.ts';
import { collectCounter, collectGauge } from './collected.ts';
import type { Labels } from './collected-histogram.ts';
import type { ObserveModels } from './observed-models.ts';

const byVersion = ['model', 'version'] as const;

/** Exposes what is counted of the servers of remote models. */
export function exposeRemotes(registry: Registry, served: ServedCounters): void {
  const ofRemotes = <T>(of: (labels: Labels, counters: RemoteCounters) => readonly T[]) =>
    served.versions().flatMap(({ labels, counters: { remote } }) => (remote === undefined ? [] : of(labels, remote)));
  collectCounter({
    registry,
    name: 'inferd_remote_requests_total',
    help: 'Requests to the servers of remote models by their end: ok, refused, overloaded, timeout, unreachable, failed or cancelled',
    labelNames: [...byVersion, 'endpoint', 'outcome'],
    samples: () =>
      ofRemotes((labels, { requests }) =>
        requests
          .entries()
          .map(({ key: [endpoint = '', outcome = ''], count }) => [{ ...labels, endpoint, outcome }, count] as const),
      ),
  });
  collectCounter({
    registry,
    name: 'inferd_remote_retries_total',
    help: 'Requests that were sent to another server of a remote model after one that could not be reached',
    labelNames: [...byVersion, 'endpoint'],
    samples: () =>
      ofRemotes((labels, { retries }) =>
        retries.entries().map(({ key: [endpoint = ''], count }) => [{ ...labels, endpoint }, count] as const),
      ),
  });
}

/** Exposes which servers of remote models are asked. */
export function exposeRemoteEndpoints(registry: Registry, observeModels: ObserveModels): void {
  collectGauge({
    registry,
    name: 'inferd_remote_endpoint_up',
    help: '1 for a server of a remote model that is asked, 0 for one that cannot be reached or has another model',
    labelNames: [...byVersion, 'endpoint'],
    samples: () =>
      observeModels().flatMap(({ name: model, versions }) =>
        versions.flatMap(({ version, remote }) =>
          (remote?.urls ?? []).map(({ endpoint, up }) => [{ model, version, endpoint }, Number(up)] as const),
        ),
      ),
  });
}
