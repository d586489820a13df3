import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { temporaryDatabase } from '../helpers/database.ts';
import { temporaryFolder } from '../helpers/folder.ts';

export const storageKinds = ['off', 'embedded', 'embedded-made', 'postgres', 'silent'] as const;
export type StorageKind = (typeof storageKinds)[number];

export interface StoragePlace extends AsyncDisposable {
  readonly environment: Record<string, string>;
}

/**
 * An empty place of that kind. An embedded database comes out of a template, or is made where there is none; a silent one takes
 * connections and says nothing.
 */
export async function openStorage(kind: StorageKind): Promise<StoragePlace> {
  if (kind === 'postgres') return temporaryDatabase('postgres');
  const folder = await temporaryFolder();
  if (kind !== 'silent') {
    const environment = {
      STORAGE: kind === 'off' ? 'off' : 'on',
      DATA_DIR: folder.path,
      // A home of its own has no template, until the database of the next start leaves one.
      ...(kind === 'embedded-made' && { HOME: folder.path }),
    };
    return { environment, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  }
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    environment: {
      STORAGE: 'on',
      DATABASE_URL: `postgres://postgres@127.0.0.1:${port}/postgres`,
      DATA_DIR: folder.path,
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}
