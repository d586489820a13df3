import { AppError } from '../../errors.ts';
import type { Signature } from '../../tensor/tensor.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Log } from '../../timing/log.ts';
import { BatchedModel } from '../batched-model.ts';
import type { Engine } from '../engine.ts';
import type { EngineEvents } from '../events.ts';
import { dependent, type Independence } from '../independence/independence.ts';
import type { BatchingOptions } from '../model-options.ts';
import type { Predictor } from '../predictor.ts';
import type { EndpointIdentity } from './endpoint.ts';
import { Endpoints, looking } from './endpoints.ts';
import { saidBy, unreachable } from './failures.ts';
import type { RemoteDescription } from './file/read-remote-file.ts';
import { endpointName } from './file/remote-url.ts';
import { RemoteCalls } from './remote-calls.ts';
import type { RemoteEvents, RemoteReport } from './remote-events.ts';
import { RemoteFailure } from './remote-failure.ts';
import type { RemoteTransport } from './transport.ts';

export interface RemoteModelOptions {
  readonly name: string;
  readonly version: string;
  readonly remote: RemoteDescription;
  /** Certificates that those of the servers are checked by, PEM. @default those of Node.js */
  readonly ca?: Buffer | undefined;
  readonly batching: BatchingOptions;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
}

export interface RemoteModelDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly events?: EngineEvents | undefined;
  readonly remoteEvents?: RemoteEvents | undefined;
  /** Ends the load. @default never */
  readonly signal?: AbortSignal | undefined;
  /** @default as the URL says: HTTP or gRPC */
  readonly openTransport?: ((url: string, options: RemoteModelOptions) => RemoteTransport) | undefined;
}

export interface RemoteModel {
  readonly model: Predictor & Engine;
  report(): RemoteReport;
}

/**
 * Opens a model on other servers. What it takes and gives is what the file says, else what the first server says that can
 * be reached.
 *
 * @throws AppError `REMOTE_UNREACHABLE` or `REMOTE_FAILED` when no server says it; the reason of the signal
 */
export async function openRemote(
  options: RemoteModelOptions,
  dependencies: RemoteModelDependencies,
): Promise<RemoteModel> {
  const { name, version, remote, batching, timeoutMs } = options;
  const { clock, events, remoteEvents = {} } = dependencies;
  const log = withFields(dependencies.log, { model: name, version });
  const open = dependencies.openTransport ?? (await defaultTransport(options, clock));
  const identities = remote.urls.map((url) => ({ url, name: endpointName(url), transport: open(url, options) }));
  const isFromFile = remote.outputs.length > 0;
  const { signature, knownUrl }: Learned = isFromFile
    ? { signature: { inputs: remote.inputs, outputs: remote.outputs } }
    : await learnSignature(identities, dependencies);
  const independence = independenceOf(batching, signature);
  // The endpoints and the model know each other: the model is told when they come and go.
  let model: BatchedModel | undefined;
  const endpoints = new Endpoints({
    endpoints: identities,
    signature,
    knownUrl,
    checksSignature: !isFromFile,
    clock,
    log,
    onChange: () => model?.executorsChanged(),
  });
  const calls = new RemoteCalls({
    signature,
    endpoints,
    concurrency: remote.concurrency,
    mostBytes: options.maxOutputBytes,
    countsRows: independence.independentRows,
    clock,
    events: remoteEvents,
  });
  model = new BatchedModel(
    { name, version, timeoutMs, batching: { ...batching, enabled: independence.independentRows } },
    { signature, independence, example: undefined, intraOpThreads: undefined },
    {
      slots: calls.slots,
      get health() {
        return endpoints.health;
      },
      gaveUp: false,
      stats: [],
      close: async () => endpoints.close(),
    },
    { clock, log, ...(events !== undefined && { events }) },
  );
  const urls = () => endpoints.all.map(({ url, name: endpoint, isUp: up }) => ({ url, endpoint, up }));
  return { model, report: () => ({ urls: urls(), model: remote.model, version: remote.version }) };
}

async function defaultTransport(
  { remote, ca, batching, maxOutputBytes }: RemoteModelOptions,
  clock: Clock,
): Promise<(url: string) => RemoteTransport> {
  const { model, version, headers, connectTimeoutMs, concurrency } = remote;
  const common = { model, version, headers, ca, connectTimeoutMs, clock };
  if (remote.protocol === 'grpc') {
    const { GrpcTransport } = await import('./grpc/grpc-transport.ts');
    const mostBytes = maxOutputBytes * (batching.enabled === true ? batching.maxSize : 1);
    return (url) => new GrpcTransport({ ...common, url, mostBytes });
  }
  const { HttpTransport } = await import('./http/http-transport.ts');
  return (url) => new HttpTransport({ ...common, url, maxIdle: concurrency });
}

interface Learned {
  readonly signature: Signature;
  readonly knownUrl?: string;
}

/** Closes the transports when none of them knows it. */
async function learnSignature(
  endpoints: readonly EndpointIdentity[],
  { clock, signal = new AbortController().signal }: RemoteModelDependencies,
): Promise<Learned> {
  const failures: string[] = [];
  const asked = endpoints.map(async ({ url, name, transport }) => {
    try {
      const signature = await looking({ clock, ending: signal }, (ending) => transport.signature(ending));
      return { signature, knownUrl: url };
    } catch (thrown) {
      const failure = thrown instanceof RemoteFailure ? thrown : unreachable(String(thrown), 'unreachable', thrown);
      const isLate = failure.error.code === 'CLIENT_GONE';
      failures.push(`${name}: ${isLate ? 'it does not answer' : failure.message}${detailOf(failure)}`);
      throw failure;
    }
  });
  try {
    return await Promise.any(asked);
  } catch (thrown) {
    for (const { transport } of endpoints) transport.close();
    signal.throwIfAborted();
    const causes = thrown instanceof AggregateError ? thrown.errors : [thrown];
    const isAnswered = causes.some((cause) => cause instanceof RemoteFailure && cause.error.code === 'REMOTE_FAILED');
    throw new AppError(isAnswered ? 'REMOTE_FAILED' : 'REMOTE_UNREACHABLE', {
      message: failures.join('; '),
      ...(!isAnswered && { retryAfterSeconds: 1 }),
      cause: causes[0],
    });
  }
}

/** What the operator may want to know beside what clients are told, such as why a certificate was refused. */
function detailOf({ error: { cause } }: RemoteFailure): string {
  const detail = cause instanceof Error ? saidBy(cause.message) : undefined;
  return detail === undefined ? '' : ` (${detail})`;
}

/** Whether the rows of a model elsewhere are independent cannot be tried from here without a load on its server. */
function independenceOf({ enabled, maxRequestRows }: BatchingOptions, { inputs }: Signature): Independence {
  if (enabled !== true) return dependent('Requests to another server share runs only where model.json says so.');
  const countRows = inputs.length > 0 && inputs.every(({ shape }) => shape[0] === -1);
  if (!countRows) return dependent('The first dimension of its inputs is not free.');
  return { independentRows: true, why: 'model.json says so.', provenRows: maxRequestRows };
}

function withFields(log: Log, fields: object): Log {
  return {
    info: (more, message) => log.info({ ...fields, ...more }, message),
    warn: (more, message) => log.warn({ ...fields, ...more }, message),
    error: (more, message) => log.error({ ...fields, ...more }, message),
  };
}
