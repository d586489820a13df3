// The table "who may import whom" of docs/architecture.md, and the absence of cycles.

/** Rooms of src/ that a room may import from, besides itself. */
const mayImport = {
  errors: [],
  timing: [],
  disposal: [],
  served: [],
  names: [],
  'child-environment': [],
  tensor: ['timing', 'errors'],
  tabular: ['timing', 'errors'],
  settings: ['errors'],
  access: ['timing', 'errors'],
  'onnx-file': ['errors'],
  'open-inference-messages': ['tensor', 'errors'],
  inference: [
    'client',
    'open-inference-messages',
    'names',
    'onnx-file',
    'tensor',
    'timing',
    'errors',
    'child-environment',
  ],
  rules: ['inference', 'names', 'tensor'],
  models: ['inference', 'names', 'pictures', 'onnx-file', 'tensor', 'timing', 'errors'],
  sources: ['timing', 'errors'],
  serving: ['served', 'models', 'inference', 'tensor', 'timing', 'errors'],
  storage: ['timing', 'errors', 'child-environment'],
  telemetry: ['served', 'errors'],
  limits: ['access', 'errors'],
  redis: [],
  transport: ['telemetry', 'timing', 'errors'],
  http: [
    'serving',
    'models',
    'inference',
    'limits',
    'transport',
    'access',
    'telemetry',
    'redis',
    'tensor',
    'timing',
    'errors',
  ],
  pictures: ['tensor', 'timing', 'errors'],
  texts: ['tensor', 'timing', 'errors', 'child-environment'],
  domains: ['serving', 'pictures', 'tensor', 'timing', 'errors', 'http'],
  faces: [
    'domains',
    'pictures',
    'texts',
    'serving',
    'models',
    'inference',
    'names',
    'onnx-file',
    'http',
    'tensor',
    'timing',
    'errors',
  ],
  protocols: [
    'faces',
    'serving',
    'models',
    'inference',
    'limits',
    'transport',
    'access',
    'telemetry',
    'open-inference-messages',
    'tensor',
    'tabular',
    'timing',
    'errors',
    'http',
  ],
  pieces: ['faces', 'domains', 'pictures', 'texts', 'models', 'inference', 'tensor', 'timing', 'errors'],
  tasks: ['serving', 'storage', 'timing', 'errors', 'http'],
  predictions: ['serving', 'storage', 'models', 'tensor', 'tabular', 'timing', 'errors', 'http', 'telemetry'],
  traffic: ['predictions', 'serving', 'storage', 'models', 'tensor', 'http', 'timing', 'errors'],
  client: ['tensor', 'timing', 'errors'],
  // Works against any server, so that it knows nothing of this one.
  conformance: ['tensor', 'timing', 'errors'],
};

/** Npm packages that a room may import; rooms that are not listed are free. */
const mayInstall = {
  errors: [],
  timing: [],
  disposal: [],
  served: [],
  names: [],
  'child-environment': [],
  tensor: [],
  'onnx-file': [],
  tabular: ['hyparquet-writer'],
  pictures: ['sharp', 'zod'],
  settings: ['zod'],
  access: ['zod'],
  'open-inference-messages': [],
  inference: ['onnxruntime-node', 'onnxruntime-common', 'zod', 'lru-cache', '@grpc/grpc-js'],
  rules: ['@marcbachmann/cel-js'],
  models: ['zod'],
  sources: ['@bradenmacdonald/s3-lite-client', 'tar', 'yauzl'],
  serving: [],
  texts: ['tokenizers', 'zod'],
  limits: ['@fastify/rate-limit'],
  redis: ['ioredis'],
  transport: [],
  storage: ['zod', '@electric-sql/pglite', '@electric-sql/pglite-socket', 'kysely', 'pg'],
  client: [],
  conformance: [],
};

const roomPath = (room) => `^src/${room}(/|\\.ts$)`;

const roomRules = Object.entries(mayImport).map(([room, allowed]) => ({
  name: `${room}-imports`,
  comment: `src/${room} may import only itself${allowed.length > 0 ? ` and ${allowed.join(', ')}` : ''}`,
  severity: 'error',
  from: { path: roomPath(room) },
  to: { path: '^src/', pathNot: [room, ...allowed].map(roomPath) },
}));

const packageRules = Object.entries(mayInstall).map(([room, packages]) => ({
  name: `${room}-packages`,
  severity: 'error',
  from: { path: roomPath(room) },
  to: {
    path: 'node_modules',
    ...(packages.length > 0 && { pathNot: packages.map((name) => `node_modules/${name}/`) }),
  },
}));

/** Only one file may load the package, so that another can take its place. */
function inOneFile(name, library, file) {
  return {
    name,
    severity: 'error',
    from: { path: '^src/', pathNot: `^src/${file}\\.ts$` },
    to: { path: `node_modules/${library}` },
  };
}

module.exports = {
  forbidden: [
    inOneFile('s3-in-one-file', '@bradenmacdonald/s3-lite-client', 'sources/s3'),
    {
      ...inOneFile('tokenizers-in-the-text-process-only', 'tokenizers', 'texts/child'),
      comment: 'The library ends its process on some files, so only the text process loads it',
    },
    inOneFile('sharp-in-one-file', 'sharp', 'pictures/sharp'),
    inOneFile('ioredis-in-one-file', 'ioredis', 'redis/open-redis'),
    inOneFile('cel-in-one-file', '@marcbachmann/cel-js', 'rules/cel-rules'),
    {
      name: 'only-remote-models-call-others',
      comment: 'The engine runs models here; what asks another server for an answer is in one room',
      severity: 'error',
      from: { path: '^src/inference/', pathNot: '^src/inference/remote/' },
      to: { path: '^src/(client|open-inference-messages)/|node_modules/@grpc/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'onnxruntime-in-the-runner-only',
      comment:
        'A run blocks its thread and a native crash ends its process, so only the runner process loads ONNX Runtime',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/inference/runner/child\\.ts$' },
      to: { path: 'node_modules/onnxruntime', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'domains-are-strangers',
      severity: 'error',
      from: { path: '^src/(domains|protocols)/([^/]+)/' },
      to: { path: '^src/(domains|protocols)/[^/]+/', pathNot: '^src/$1/$2/' },
    },
    {
      name: 'grpc-knows-no-http',
      comment: 'What both transports need is in transport/, limits/ and access/',
      severity: 'error',
      from: { path: '^src/protocols/open-inference/grpc/' },
      to: { path: '^src/http/' },
    },
    {
      name: 'values-know-no-transport',
      comment: 'What REST and gRPC answer alike is made once, of plain values',
      severity: 'error',
      from: { path: '^src/protocols/open-inference/values/' },
      to: { path: '^src/(http|transport|limits)/|^src/protocols/open-inference/(rest|grpc)/|node_modules' },
    },
    {
      name: 'rest-and-grpc-are-strangers',
      severity: 'error',
      from: { path: '^src/protocols/open-inference/(rest|grpc)/' },
      to: { path: '^src/protocols/open-inference/(rest|grpc)/', pathNot: '^src/protocols/open-inference/$1/' },
    },
    {
      name: 'nobody-imports-the-composition-root',
      severity: 'error',
      from: { pathNot: '^src/(app|services|load-models|lifespan|main|index|cli/.*)\\.?(ts)?$' },
      to: { path: '^src/(app|services|load-models|lifespan|main|cli/)' },
    },
    {
      name: 'no-unlisted-packages',
      severity: 'error',
      from: { path: '^src/' },
      // zod is a peer, and a development dependency for its exact version.
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev', 'unknown'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'browser-code-knows-no-node',
      comment: 'inferd/client runs in browsers',
      severity: 'error',
      from: { path: '^src/(client|tensor)/|^src/errors\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    ...roomRules,
    ...packageRules,
  ],
  options: {
    // TypeScript 7 has no compiler API that dependency-cruiser could use.
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { conditionNames: ['import', 'node', 'default', 'types'], exportsFields: ['exports'] },
  },
};
