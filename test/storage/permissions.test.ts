import { once } from 'node:events';
import { chmod, stat } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EmbeddedDatabase } from '../../src/storage/embedded/embedded-database.ts';
import { temporaryDatabase } from '../helpers/database.ts';

const permissions = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

it.skipIf(process.platform === 'win32')(
  'no other user reaches the embedded database, by its socket or its files',
  async () => {
    await using database = await temporaryDatabase('embedded');
    // As a folder is that an operator has made.
    await chmod(database.dataDir, 0o755);
    await chmod(join(database.dataDir, 'database'), 0o755);
    const running = await EmbeddedDatabase.start(database.dataDir);
    try {
      expect(await permissions(running.socketDir)).toBe('700');
      expect(await permissions(join(database.dataDir, 'database'))).toBe('700');
      const socket = createConnection(join(running.socketDir, '.s.PGSQL.5432'));
      await once(socket, 'connect');
      socket.destroy();
    } finally {
      await running.close();
    }
  },
);
