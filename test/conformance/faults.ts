import { gzipSync } from 'node:zlib';
import { allChecks } from '../../src/conformance/suite.ts';
import { type Answer, json, type Middle, type Seen } from './protocol-server.ts';

/** A fault of a server, and the checks that must not hold because of it. */
export interface FaultyServer {
  readonly name: string;
  /** Made anew for each server, for some remember what came before. */
  readonly middle: () => Middle;
  readonly breaks: readonly string[];
}

const refusals = allChecks.map(({ id }) => id).filter((id) => id.startsWith('refuse.'));
const blames = refusals.filter((id) => id.endsWith('.4xx'));
const lengthHeader = 'inference-header-content-length';

const isInfer = ({ path }: Seen) => path.endsWith('/infer');
const header = ({ headers }: Seen, name: string) => headers[name];

/** Replies of the paths that end so are changed. */
function on(ending: string, change: (reply: Answer, request: Seen) => Answer): () => Middle {
  return () => ({ reply: (reply, request) => (request.path.endsWith(ending) ? change(reply, request) : reply) });
}

/** Every success of the paths that end so has another JSON. */
// biome-ignore lint/suspicious/noExplicitAny: the faults below write what no type would allow.
function changeJson(ending: string, change: (body: any, request: Seen) => unknown): () => Middle {
  return on(ending, (reply, request) => {
    if (reply.status !== 200 || reply.headers['content-type'] !== 'application/json') return reply;
    if (reply.headers['content-encoding'] !== undefined) return reply;
    return { ...reply, body: json(200, change(JSON.parse(reply.body.toString()), request)).body };
  });
}

/** Inference requests of a kind are refused. */
function refuse(fits: (request: Seen) => boolean): () => Middle {
  return on('/infer', (reply, request) => (fits(request) ? json(400, { error: 'refused' }) : reply));
}

/** The JSON of inference requests is changed before the server sees it. */
// biome-ignore lint/suspicious/noExplicitAny: as above.
function hear(change: (body: any) => unknown): () => Middle {
  const request = (seen: Seen) => {
    if (!isInfer(seen) || header(seen, lengthHeader) !== undefined) return seen;
    try {
      return { ...seen, body: Buffer.from(JSON.stringify(change(JSON.parse(seen.body.toString())))) };
    } catch {
      return seen;
    }
  };
  return () => ({ request });
}

const jsonOf = ({ body, headers }: Seen) =>
  body.subarray(0, Number(headers[lengthHeader] ?? body.byteLength)).toString();
const empty = (reply: Answer) => ({ ...reply, body: Buffer.alloc(0) });
const failing = () => json(500, { error: 'broken' });

export const faultyServers: readonly FaultyServer[] = [
  {
    name: 'answers errors with 200',
    middle: () => ({ reply: (reply) => (reply.status >= 400 ? { ...reply, status: 200 } : reply) }),
    breaks: [
      ...refusals,
      'server.unknown-path',
      'server.wrong-method',
      'infer.get',
      'compression.broken',
      'compression.unknown',
    ],
  },
  {
    name: 'answers errors with 500',
    middle: () => ({ reply: (reply) => (reply.status >= 400 ? { ...reply, status: 500 } : reply) }),
    breaks: blames,
  },
  {
    name: 'calls the text of an error detail',
    middle: () => ({ reply: (reply) => (reply.status >= 400 ? json(reply.status, { detail: 'no' }) : reply) }),
    breaks: [...refusals.filter((id) => !blames.includes(id)), 'server.unknown-path', 'repository.unload'],
  },
  { name: 'is not live', middle: on('/live', failing), breaks: ['server.live', 'server.live-body', 'server.survives'] },
  { name: 'has no body for live', middle: on('/live', empty), breaks: ['server.live-body'] },
  { name: 'is not ready', middle: on('/health/ready', failing), breaks: ['server.ready', 'server.ready-body'] },
  { name: 'has no body for ready', middle: on('/health/ready', empty), breaks: ['server.ready-body'] },
  {
    name: 'has no version',
    middle: changeJson('/v2', ({ version: _, ...others }) => others),
    breaks: ['server.metadata'],
  },
  {
    name: 'sends JSON as text',
    middle: () => ({ reply: (reply) => ({ ...reply, headers: { ...reply.headers, 'content-type': 'text/plain' } }) }),
    breaks: ['server.media-type', 'infer.media-type', 'binary.media-type'],
  },
  {
    name: 'does not know HEAD',
    middle: () => ({ reply: (reply, { method }) => (method === 'HEAD' ? json(405, {}) : reply) }),
    breaks: ['server.head'],
  },
  {
    name: 'compresses everything',
    middle: () => ({
      reply: (reply) => ({
        ...reply,
        headers: { ...reply.headers, 'content-encoding': 'gzip' },
        body: gzipSync(reply.body),
      }),
    }),
    breaks: ['server.plain-metadata', 'server.metadata'],
  },
  {
    name: 'compresses answers that nobody wants compressed',
    middle: on('/infer', (reply, { headers }) =>
      headers['accept-encoding'] === 'identity'
        ? { ...reply, headers: { ...reply.headers, 'content-encoding': 'gzip' }, body: gzipSync(reply.body) }
        : reply,
    ),
    breaks: ['compression.not-asked-for'],
  },
  {
    name: 'compresses by gzip for those who want deflate',
    middle: () => ({
      request: (seen) =>
        header(seen, 'accept-encoding') === 'deflate'
          ? { ...seen, headers: { ...seen.headers, 'accept-encoding': 'gzip' } }
          : seen,
    }),
    breaks: ['compression.reply'],
  },
  {
    name: 'takes no compressed requests',
    middle: refuse((request) => header(request, 'content-encoding') !== undefined),
    breaks: ['compression.gzip-request', 'compression.deflate-request', 'compression.binary-request'],
  },
  {
    name: 'has a state of its own',
    middle: changeJson('/index', (entries) => [{ ...entries[0], state: 'FINE' }]),
    breaks: ['repository.index'],
  },
  {
    name: 'lists what is not ready',
    middle: () => ({ request: (seen) => (seen.path.endsWith('/index') ? { ...seen, body: Buffer.alloc(0) } : seen) }),
    breaks: ['repository.index-ready'],
  },
  {
    name: 'calls ready what is not',
    middle: changeJson('/index', (entries: object[]) => entries.map((entry) => ({ ...entry, state: 'READY' }))),
    breaks: ['repository.index-serves'],
  },
  {
    name: 'has no platform',
    middle: changeJson('/pair', ({ platform: _, ...others }) => others),
    breaks: ['model.metadata'],
  },
  {
    name: 'lists versions that are not there',
    middle: changeJson('/pair', (body) => ({ ...body, versions: ['1', '2'] })),
    breaks: ['model.versions', 'infer.version'],
  },
  {
    name: 'has a model that is not ready',
    middle: on('/pair/ready', failing),
    breaks: ['model.ready', 'repository.reload'],
  },
  { name: 'has no body for a ready model', middle: on('/pair/ready', empty), breaks: ['model.ready-body'] },
  {
    name: 'gives the configuration of another model',
    middle: changeJson('/config', () => ({ name: 'other' })),
    breaks: ['model.config'],
  },
  { name: 'accepts nothing', middle: refuse(() => true), breaks: ['infer.accepts'] },
  { name: 'fails', middle: on('/infer', failing), breaks: ['infer.no-server-error'] },
  {
    name: 'does not tell shapes',
    middle: changeJson('/infer', ({ outputs, ...others }) => ({
      ...others,
      outputs: outputs.map(({ shape: _, ...output }: { shape: unknown }) => output),
    })),
    breaks: ['infer.reply'],
  },
  {
    name: 'leaves out an output',
    middle: changeJson('/infer', (body) => ({ ...body, outputs: body.outputs.slice(0, 1) })),
    breaks: ['infer.metadata'],
  },
  {
    name: 'forgets ids',
    middle: changeJson('/infer', ({ id: _, ...others }) => others),
    breaks: ['infer.id', 'infer.id-any', 'infer.concurrent'],
  },
  {
    name: 'knows no letters beyond ASCII',
    middle: changeJson('/infer', (body) => ({ ...body, ...(body.id && { id: body.id.replace(/[^ -~]/g, '?') }) })),
    breaks: ['infer.id-any'],
  },
  {
    name: 'mixes ids up',
    middle: () => {
      let previous = 'conformance-0';
      return changeJson('/infer', (body) => {
        if (!String(body.id).startsWith('conformance-')) return body;
        const mixed = { ...body, id: previous };
        previous = body.id;
        return mixed;
      })();
    },
    breaks: ['infer.concurrent'],
  },
  {
    name: 'mixes answers up',
    middle: () => {
      let previous: unknown;
      return changeJson('/infer', (body) => {
        if (!String(body.id).startsWith('conformance-')) return body;
        const mixed = { ...body, outputs: previous ?? body.outputs };
        previous = body.outputs;
        return mixed;
      })();
    },
    breaks: ['infer.concurrent'],
  },
  {
    name: 'takes flat data alone',
    middle: refuse((request) => jsonOf(request).includes('"data":[[')),
    breaks: ['infer.nested'],
  },
  {
    name: 'gives all outputs, in its own order',
    middle: hear(({ outputs: _, ...others }) => others),
    breaks: ['infer.outputs', 'infer.outputs-order', 'binary.output'],
  },
  {
    name: 'refuses priorities',
    middle: refuse((request) => jsonOf(request).includes('"priority"')),
    breaks: ['infer.priority'],
  },
  {
    name: 'refuses unknown parameters',
    middle: refuse((request) => jsonOf(request).includes('conformance_text')),
    breaks: ['infer.parameters'],
  },
  {
    name: 'refuses unknown members',
    middle: refuse((request) => jsonOf(request).includes('"model_name"')),
    breaks: ['infer.unknown-members'],
  },
  {
    name: 'wants a content type',
    middle: refuse((request) => header(request, 'content-type') === undefined),
    breaks: ['infer.no-content-type', 'binary.no-content-type'],
  },
  {
    name: 'takes no JSON as bytes',
    middle: refuse(
      (request) => header(request, 'content-type') === 'application/octet-stream' && !header(request, lengthHeader),
    ),
    breaks: ['infer.octet-stream'],
  },
  {
    name: 'answers otherwise each time',
    middle: () => {
      let count = 0;
      return changeJson('/infer', (body) => {
        body.outputs[0].data[0] = count++;
        return body;
      })();
    },
    breaks: ['infer.deterministic'],
  },
  {
    name: 'takes no binary inputs',
    middle: refuse((request) => jsonOf(request).includes('binary_data_size')),
    breaks: ['binary.inputs', 'binary.mixed', 'binary.all-outputs'],
  },
  {
    name: 'reads binary inputs wrongly',
    middle: () => ({
      request: (seen) => {
        const jsonBytes = Number(header(seen, lengthHeader));
        if (!(jsonBytes > 0 && jsonBytes < seen.body.byteLength) || header(seen, 'content-encoding')) return seen;
        const body = Buffer.from(seen.body);
        body.fill(0x11, jsonBytes);
        return { ...seen, body };
      },
    }),
    breaks: ['binary.inputs', 'binary.mixed'],
  },
  {
    name: 'gives binary outputs as JSON',
    middle: hear((body) => JSON.parse(JSON.stringify(body).replaceAll('binary_data', 'ignored'))),
    breaks: ['binary.output'],
  },
  {
    name: 'takes the length of the JSON for a sign of bytes',
    middle: refuse((request) => header(request, lengthHeader) === String(request.body.byteLength)),
    breaks: ['binary.header-of-json'],
  },
  {
    name: 'takes no raw requests',
    middle: refuse((request) => header(request, lengthHeader) === '0'),
    breaks: ['binary.raw'],
  },
  {
    name: 'does not count what waited',
    middle: changeJson('/stats', (body) => {
      delete body.model_stats[0].inference_stats.queue;
      return body;
    }),
    breaks: ['statistics.members'],
  },
  {
    name: 'has no statistics of all models',
    middle: changeJson('/models/stats', () => ({ model_stats: [] })),
    breaks: ['statistics.all-models'],
  },
  {
    name: 'gives the statistics of all versions for one',
    middle: changeJson('/versions/1/stats', ({ model_stats: [first] }) => ({
      model_stats: [first, { ...first, version: '2' }],
    })),
    breaks: ['statistics.version'],
  },
  {
    name: 'counts nothing',
    middle: changeJson('/stats', (body) => JSON.parse(JSON.stringify(body).replace(/:\d+/g, ':0'))),
    breaks: ['statistics.counts'],
  },
  {
    name: 'counts down',
    middle: changeJson('/stats', (body) => {
      body.model_stats[0].inference_count = 1e6 - body.model_stats[0].inference_count;
      return body;
    }),
    breaks: ['statistics.monotonic', 'statistics.counts', 'statistics.consistent'],
  },
  {
    name: 'gives the worst classes first',
    middle: changeJson('/infer', (body, request) => {
      if (!jsonOf(request).includes('classification')) return body;
      body.outputs[0].data.reverse();
      return body;
    }),
    breaks: ['classification.all'],
  },
  {
    name: 'gives a class that is not the best',
    middle: changeJson('/infer', (body, request) => {
      if (!jsonOf(request).includes('classification')) return body;
      body.outputs[0].data = body.outputs[0].data.map(() => '0.000000:0');
      return body;
    }),
    breaks: ['classification.best', 'classification.all'],
  },
  { name: 'cannot load', middle: on('/load', failing), breaks: ['repository.reload', 'repository.load'] },
  {
    name: 'says that it unloads',
    middle: () => ({ request: (seen) => ({ ...seen, path: seen.path.replace(/\/unload$/, '/load') }) }),
    breaks: ['repository.unload'],
  },
  {
    name: 'says that it loads',
    middle: on('/load', (reply) => ({ ...reply, status: 200, headers: {}, body: Buffer.alloc(0) })),
    breaks: ['repository.load-unknown'],
  },
  {
    name: 'breaks under deep nesting',
    middle: () => {
      let isBroken = false;
      return {
        reply(reply, { body, path }) {
          isBroken ||= body.byteLength > 100_000;
          return isBroken && path.includes('/health/') ? failing() : reply;
        },
      };
    },
    breaks: ['server.survives'],
  },
];
