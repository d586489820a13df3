import { expect, it } from 'vitest';
import { Listener } from '../../src/storage/listener.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { databaseKinds, temporaryStorage } from '../helpers/database.ts';

const tell = (storage: Storage, text: string) =>
  storage.use(({ pool }) => pool.query('SELECT pg_notify($1, $2)', ['inferd_test', text]));

/** Ends the connections that listen, from within. */
const cutListeners = (storage: Storage) =>
  storage.use(({ pool }) =>
    pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND query LIKE 'LISTEN%'`),
  );

it.skipIf(!databaseKinds.includes('postgres'))('hears what is told, also after its connection was cut', async () => {
  await using storage = await temporaryStorage('postgres');
  const heard: string[] = [];
  let beginnings = 0;
  const listener = new Listener({
    storage,
    channel: 'inferd_test',
    clock: systemClock,
    log: { warn: () => {} },
    onMessage: (text) => void heard.push(text),
    onListening: () => {
      beginnings += 1;
    },
  });
  await expect.poll(() => beginnings).toBe(1);
  await tell(storage, 'one');
  await expect.poll(() => heard).toEqual(['one']);

  await cutListeners(storage);
  await expect.poll(() => beginnings).toBe(2);
  expect(storage.state).toBe('ready');
  await tell(storage, 'two');
  await expect.poll(() => heard).toEqual(['one', 'two']);

  // The storage waits for every connection that is in use.
  listener.close();
  await storage.close();
  expect(beginnings).toBe(2);
});
