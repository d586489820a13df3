import { fileURLToPath } from 'node:url';
import type { Contestant } from './contestant.ts';
import { inferdRequests } from './inferd.ts';
import { freePort, startServer } from './server-process.ts';

const script = fileURLToPath(new URL('bare-fastify-server.ts', import.meta.url));

/** The ceiling: what Fastify does with the same body, the same reply and the same access log, and no model. */
export const bareFastify: Contestant = {
  name: 'bare-fastify',
  settings: 'one process, no model, no validation',
  peer: false,
  missing: () => undefined,
  // For the others the model is the limit, and Fastify without one says nothing.
  serves: ({ name }) => name === 'tiny' || name === 'mid',
  requests: inferdRequests,
  async start({ workloads, replies }) {
    const port = await freePort();
    const routes = workloads
      .filter((workload) => bareFastify.serves(workload))
      .map((workload) => ({
        path: inferdRequests(workload)[0]?.path,
        reply: replies.get(workload.name) ?? workload.exampleReply,
      }));
    return startServer({
      name: 'bare-fastify',
      command: process.execPath,
      args: [script],
      env: { NODE_ENV: 'production', PORT: String(port), BARE_ROUTES: JSON.stringify(routes) },
      port,
      readyPath: '/health/ready',
    });
  },
};
