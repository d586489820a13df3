/** What programs need to find their way: places, languages, and what native libraries are tuned and loaded by. */
const names = new Set([
  'PATH',
  'HOME',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TZDIR',
  'TMPDIR',
  'TMP',
  'TEMP',
  'SYSTEMROOT',
  'LOCPATH',
  'LD_LIBRARY_PATH',
  'LD_PRELOAD',
  'DYLD_LIBRARY_PATH',
  'GLIBC_TUNABLES',
  'MALLOC_CONF',
  'NODE_OPTIONS',
  'NODE_COMPILE_CACHE',
  'NODE_ICU_DATA',
  'NODE_V8_COVERAGE',
  'UV_THREADPOOL_SIZE',
]);
const prefix = /^(LC|OMP|GOMP|KMP|MKL|OPENBLAS|MALLOC|ORT|ONNXRUNTIME|CUDA|CUDNN|NVIDIA|HIP|ROCM|OPENVINO)_/;

/**
 * The environment of a process that this one starts: without the secrets that are in its own, since a runner executes what
 * a model says, and everything it writes may be read by others than the operator.
 */
export function childEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(own).filter(([name]) => names.has(name) || prefix.test(name)));
}
