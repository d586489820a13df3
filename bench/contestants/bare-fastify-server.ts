import Fastify from 'fastify';
import { pino } from 'pino';
import { z } from 'zod';

/** Routes that parse their body, log, and answer the same object each time: process of the bare Fastify contestant. */
const routes = z
  .array(z.object({ path: z.string(), reply: z.json() }))
  .parse(JSON.parse(process.env['BARE_ROUTES'] ?? '[]'));
const app = Fastify({ loggerInstance: pino(), disableRequestLogging: true, bodyLimit: 64 * 1024 * 1024 });

// The line that inferd writes.
app.addHook('onResponse', (request, reply, done) => {
  request.server.log.info({
    request_id: request.id,
    method: request.method,
    route: request.routeOptions.url ?? 'unknown',
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 1000) / 1000,
    model: 'none',
    version: '1',
  });
  done();
});
app.get('/health/ready', async () => ({ status: 'ready' }));
for (const { path, reply } of routes) app.post(path, async () => reply);

process.once('SIGTERM', () => process.exit(0));
await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
