import { createServer } from 'inferd';
import lifeboat from './domains.ts';

const server = await createServer({ domains: [lifeboat] });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.stop());
await server.loaded;
