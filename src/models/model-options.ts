import type { ModelOptions } from '../inference/model-options.ts';
import { tensorFromJson } from '../tensor/json-codec.ts';
import type { Tensors } from '../tensor/tensor.ts';
import type { Manifest } from './manifest.ts';
import { refuseOutside, type VersionFile } from './repository.ts';

/**
 * What the engine needs to load a file as its manifest says.
 *
 * @throws AppError `MALFORMED_TENSOR` if a warm-up request of the manifest is none
 */
export function modelOptions(name: string, file: VersionFile, manifest: Manifest): ModelOptions {
  const { instances, batching, session, timeoutMs, loadTimeoutMs, memoryLimitMb, warmup } = manifest;
  return {
    name,
    version: file.version,
    path: file.path,
    // A link may have been changed since the repository was read, and runners start at any time.
    beforeLoad: () => refuseOutside(file.root, file.path),
    instances,
    batching,
    session,
    timeoutMs,
    loadTimeoutMs,
    ...(memoryLimitMb !== undefined && { memoryLimitMb }),
    ...(warmup.length > 0 && { warmup: warmup.map(warmupRequest) }),
  };
}

function warmupRequest(inputs: Manifest['warmup'][number]): Tensors {
  return Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, tensorFromJson(tensor, name)]));
}
