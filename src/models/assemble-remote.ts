import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { AppError } from '../errors.ts';
import type { EngineEvents } from '../inference/events.ts';
import { readRemoteFile } from '../inference/remote/file/read-remote-file.ts';
import { openRemote } from '../inference/remote/open-remote.ts';
import type { RemoteEvents } from '../inference/remote/remote-events.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import type { RemoteArtifact } from './artifact.ts';
import { openAskedFace } from './asked-face.ts';
import type { Assembled, VersionToAssemble } from './assembled.ts';
import { refuseOutside } from './files/refuse-outside.ts';
import { idleKeys } from './manifest.ts';
import type { OpenFace } from './version-face.ts';

/** What models on other servers need. */
export interface RemoteDependencies {
  /** What a `remote.json` may name of the environment; undefined for what the environment does not have. */
  readonly secrets: ReadonlyMap<string, string | undefined>;
  /** Most bytes of the outputs for a request, unless the manifest says otherwise. */
  readonly maxOutputBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly events?: EngineEvents | undefined;
  /** What goes on with the servers, to be counted. */
  readonly eventsOf?: ((name: string, version: string) => RemoteEvents) | undefined;
}

/** Keys of the manifest that say how a model runs, which its own server decides. */
const keysOfRunners = ['instances', 'session', 'memoryLimitMb', 'warmup'] as const;

/** @throws AppError `REMOTE_INVALID` with every fault, `REMOTE_UNREACHABLE` or `REMOTE_FAILED` when no server says what the model is */
export async function assembleRemote(
  { name, manifest, artifact, signal }: VersionToAssemble<RemoteArtifact>,
  dependencies: RemoteDependencies & { readonly openFace?: OpenFace | undefined },
): Promise<Assembled> {
  const { secrets, maxOutputBytes, openFace, clock, log, events, eventsOf } = dependencies;
  const { version, root, folders } = artifact;
  const remote = readRemoteFile(relative(root, artifact.path), artifact.text, secrets);
  const idle = idleKeys(manifest, keysOfRunners);
  if (idle.length > 0) {
    log.warn(
      { model: name, version, keys: idle },
      'model.json has keys that mean nothing to a model on another server',
    );
  }
  const { model, report } = await openRemote(
    {
      name,
      version,
      remote,
      ca: remote.tls && (await readBeside(artifact, remote.tls.ca)),
      batching: manifest.batching,
      timeoutMs: manifest.timeoutMs,
      maxOutputBytes: manifest.maxOutputBytes ?? maxOutputBytes,
    },
    { clock, log, events, remoteEvents: eventsOf?.(name, version), signal },
  );
  const material = { name, version, manifest, graphLabels: {}, root, folders, predictor: model, example: undefined };
  try {
    const face = await openAskedFace(openFace, material, signal);
    return { predictor: model, engine: model, remote: report, ...(face !== undefined && { face }) };
  } catch (thrown) {
    await model.close();
    throw thrown;
  }
}

async function readBeside({ path, root }: RemoteArtifact, file: string): Promise<Buffer> {
  const certificates = join(dirname(path), file);
  try {
    await refuseOutside(root, certificates);
    return await readFile(certificates);
  } catch (cause) {
    const message = `${relative(root, path)} is invalid: tls.ca: found ${JSON.stringify(file)}; expected a file in its folder`;
    throw new AppError('REMOTE_INVALID', {
      message,
      faults: [{ location: ['tls', 'ca'], type: 'file', message }],
      cause,
    });
  }
}
