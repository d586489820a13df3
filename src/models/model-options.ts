import type { ModelOptions } from '../inference/model-options.ts';
import { tensorFromJson } from '../tensor/json/json-codec.ts';
import type { Tensors } from '../tensor/tensor.ts';
import type { LoadSource } from './files/load-source.ts';
import type { Manifest } from './manifest.ts';

/**
 * What the engine needs to load a version as its manifest says.
 *
 * @throws AppError `MALFORMED_TENSOR` if a warm-up request of the manifest is none
 */
export function modelOptions(
  { name, version }: { readonly name: string; readonly version: string },
  source: Pick<LoadSource, 'path' | 'unservable' | 'readIntoMemory' | 'check'>,
  manifest: Manifest,
): ModelOptions {
  const { instances, batching, session, timeoutMs, loadTimeoutMs, memoryLimitMb, maxOutputBytes, warmup } = manifest;
  return {
    name,
    version,
    path: source.path,
    unservable: source.unservable,
    readIntoMemory: source.readIntoMemory,
    // Files may have changed since the version was loaded, and runners start at any time.
    checkFiles: () => source.check(),
    instances,
    batching,
    session: sessionOptions(session),
    timeoutMs,
    loadTimeoutMs,
    ...(memoryLimitMb !== undefined && { memoryLimitMb }),
    ...(maxOutputBytes !== undefined && { maxOutputBytes }),
    ...(warmup.length > 0 && { warmup: warmup.map(warmupRequest) }),
  };
}

function sessionOptions({ intraOpThreads, ...session }: Manifest['session']): ModelOptions['session'] {
  return { ...session, ...(intraOpThreads !== 'auto' && { intraOpThreads }) };
}

function warmupRequest(inputs: Manifest['warmup'][number]): Tensors {
  return Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, tensorFromJson(tensor, name)]));
}
