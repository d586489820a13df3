import type { ServerCheck } from '../check.ts';
import { describe, expectStatus, isStringList, objectOf, readJson, readJsonObject, show } from '../json.ts';
import type { ServerUnderTest } from '../server-under-test.ts';
import { expect, NotTried } from '../verdict.ts';

const get = ({ http }: ServerUnderTest, path: string) => http.send({ method: 'GET', path });

/** Health, metadata and the manners of HTTP. */
export const serverChecks: readonly ServerCheck[] = [
  {
    id: 'server.live',
    section: 'OIP Server Live',
    level: 'MUST',
    says: 'GET /v2/health/live is 200',
    run: async (server) => expectStatus(await get(server, '/v2/health/live'), 200),
  },
  {
    id: 'server.live-body',
    section: 'OIP Server Live',
    level: 'SHOULD',
    says: 'GET /v2/health/live answers {"live": true}',
    async run(server) {
      const { live } = objectOf(await get(server, '/v2/health/live'));
      expect(live === true, `live is ${show(live)}`);
    },
  },
  {
    id: 'server.ready',
    section: 'OIP Server Ready',
    level: 'MUST',
    says: 'GET /v2/health/ready is 200 while all models are ready',
    run: async (server) => expectStatus(await get(server, '/v2/health/ready'), 200),
  },
  {
    id: 'server.ready-body',
    section: 'OIP Server Ready',
    level: 'SHOULD',
    says: 'GET /v2/health/ready answers {"ready": true} or {"live": true}',
    async run(server) {
      const { ready, live } = objectOf(await get(server, '/v2/health/ready'));
      expect((ready ?? live) === true, `ready is ${show(ready)}, live is ${show(live)}`);
    },
  },
  {
    id: 'server.metadata',
    section: 'OIP Server Metadata',
    level: 'MUST',
    says: 'GET /v2 answers name, version and extensions',
    async run(server) {
      const { name, version, extensions } = objectOf(await get(server, '/v2'));
      expect(typeof name === 'string', `name is ${show(name)}`);
      expect(typeof version === 'string', `version is ${show(version)}`);
      expect(isStringList(extensions), `extensions is ${show(extensions)}, not a list of texts`);
    },
  },
  {
    id: 'server.media-type',
    section: 'OIP HTTP/REST',
    level: 'SHOULD',
    says: 'JSON is sent as application/json',
    async run(server) {
      const { headers } = await get(server, '/v2');
      const type = headers['content-type'];
      expect(type?.split(';')[0]?.trim() === 'application/json', `content-type is ${show(type)}`);
    },
  },
  {
    id: 'server.unknown-path',
    section: 'RFC 9110 §15.5.5',
    level: 'SHOULD',
    says: 'An unknown path below /v2 is 404 with an error text',
    async run(server) {
      const reply = await get(server, '/v2/no/such/path');
      expectStatus(reply, 404);
      const { error } = readJsonObject(reply.body);
      expect(typeof error === 'string', `error is ${show(error)} in ${describe(reply)}`);
    },
  },
  {
    id: 'server.wrong-method',
    section: 'RFC 9110 §15.5.6',
    level: 'SHOULD',
    says: 'A wrong method is 405, with the methods that are allowed',
    async run({ http }) {
      const reply = await http.send({ method: 'DELETE', path: '/v2/health/live' });
      expectStatus(reply, 405);
      expect(/\bGET\b/.test(reply.headers.allow ?? ''), `allow is ${show(reply.headers.allow)}`);
    },
  },
  {
    id: 'server.head',
    section: 'RFC 9110 §9.3.2',
    level: 'SHOULD',
    says: 'HEAD answers like GET, without a body',
    async run({ http }) {
      const reply = await http.send({ method: 'HEAD', path: '/v2/health/live' });
      expectStatus(reply, 200);
    },
  },
  {
    id: 'server.plain-metadata',
    section: 'Triton clients',
    level: 'SHOULD',
    says: 'Metadata is not compressed, for clients that accept gzip do not all decompress it',
    async run({ http }) {
      const headers = { 'accept-encoding': 'gzip, deflate' };
      const reply = await http.send({ method: 'GET', path: '/v2', headers });
      const coding = reply.headers['content-encoding'];
      expect(coding === undefined || coding === 'identity', `content-encoding is ${show(coding)}`);
    },
  },
  {
    id: 'repository.index',
    section: 'Model Repository Extension, Index',
    level: 'MUST',
    says: 'POST /v2/repository/index lists models with name, version, state and reason',
    async run(server) {
      for (const body of ['', '{}', '{"ready":true}', '{"ready":false}']) await readIndex(server, body);
    },
  },
  {
    id: 'repository.index-ready',
    section: 'Model Repository Extension, Index',
    level: 'MUST',
    says: 'With {"ready": true} the index has only models that are ready',
    async run(server) {
      const states = (await readIndex(server, '{"ready":true}')).map(({ state }) => state);
      expect(
        states.every((state) => state === undefined || state === 'READY'),
        `states are ${show(states)}`,
      );
    },
  },
  {
    id: 'repository.index-serves',
    section: 'Model Repository Extension, Index',
    level: 'MUST',
    says: 'What the index calls READY answers that it is ready',
    async run(server) {
      for (const { name, state } of await readIndex(server, '')) {
        if (state !== 'READY') continue;
        const reply = await get(server, `/v2/models/${encodeURIComponent(name)}/ready`);
        expect(reply.status === 200, `${show(name)} is READY in the index, its /ready is ${describe(reply)}`);
      }
    },
  },
];

/** Run after all others. */
export const lastServerCheck: ServerCheck = {
  id: 'server.survives',
  section: 'OIP Server Live',
  level: 'MUST',
  says: 'The server is live and ready after all the other checks',
  async run(server) {
    expectStatus(await get(server, '/v2/health/live'), 200);
    expectStatus(await get(server, '/v2/health/ready'), 200);
  },
};

interface IndexEntry {
  readonly name: string;
  readonly state: string | undefined;
}

const states = ['UNKNOWN', 'READY', 'UNAVAILABLE', 'LOADING', 'UNLOADING'];

async function readIndex({ http, extensions }: ServerUnderTest, body: string): Promise<IndexEntry[]> {
  if (!extensions.has('model_repository')) throw new NotTried('the server does not advertise model_repository');
  const headers = { 'content-type': 'application/json' };
  const reply = await http.send({ method: 'POST', path: '/v2/repository/index', headers, body });
  expectStatus(reply, 200);
  const entries = readJson(reply.body);
  expect(Array.isArray(entries), `the index is ${show(entries)}, not a list`);
  return entries.map((entry) => {
    const { name, version, state, reason } = Object(entry);
    expect(typeof name === 'string', `an entry is ${show(entry)}`);
    for (const member of [version, reason]) {
      expect(member === undefined || typeof member === 'string', `an entry is ${show(entry)}`);
    }
    expect(state === undefined || states.includes(state), `the state of ${show(name)} is ${show(state)}`);
    return { name, state };
  });
}
