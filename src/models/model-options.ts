import type { ModelOptions } from '../inference/model-options.ts';
import type { Manifest } from './manifest.ts';
import type { VersionFile } from './repository.ts';

/** What the engine needs to load a file as its manifest says. */
export function modelOptions(name: string, file: VersionFile, manifest: Manifest): ModelOptions {
  const { instances, batching, session, timeoutMs, loadTimeoutMs, memoryLimitMb } = manifest;
  return {
    name,
    version: file.version,
    path: file.path,
    instances,
    batching,
    session,
    timeoutMs,
    loadTimeoutMs,
    ...(memoryLimitMb !== undefined && { memoryLimitMb }),
  };
}
