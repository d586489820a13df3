import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hashApiKey, newApiKey } from '../../src/access/api-key.ts';
import { authorize, type Caller } from '../../src/access/caller.ts';
import { changeKeyFile, parseKeyFile, readKeyFile, type StoredKey } from '../../src/access/key-file.ts';
import { KeyRing } from '../../src/access/key-ring.ts';
import { openKeyRing } from '../../src/access/open-key-ring.ts';
import { readArguments } from '../../src/cli/arguments/read-arguments.ts';
import { keysCommand } from '../../src/cli/commands/keys.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { VirtualClock } from '../virtual-clock.ts';

const now = new Date('2026-01-01T00:00:00Z');

function storedKey(change: Partial<StoredKey> = {}): { key: string; stored: StoredKey } {
  const { id, key } = newApiKey();
  const hash = `sha256:${hashApiKey(key).toString('hex')}`;
  const created = now.toISOString();
  return { key, stored: { id, name: 'test', hash, scopes: ['infer'], models: 'all', limits: {}, created, ...change } };
}

function ringOf(...stored: StoredKey[]): KeyRing {
  const ring = new KeyRing([], () => now.getTime());
  ring.replaceStored(stored);
  return ring;
}

const isRefused = expect.objectContaining({ code: 'UNAUTHENTICATED' });
const silent = { info: () => {}, warn: () => {}, error: () => {} };

describe('a key', () => {
  it('is taken as a bearer token or as x-api-key', () => {
    const { key, stored } = storedKey();
    const ring = ringOf(stored);
    expect(ring.authenticate({ authorization: `Bearer ${key}` }).id).toBe(stored.id);
    expect(ring.authenticate({ authorization: `bearer  ${key}` }).id).toBe(stored.id);
    expect(ring.authenticate({ 'x-api-key': key }).id).toBe(stored.id);
    expect(ring.authenticate({ authorization: 'Basic eDp5', 'x-api-key': key }).id).toBe(stored.id);
  });

  it('of API_KEYS may do everything', () => {
    const caller = new KeyRing(['first-key', 'second-key'], () => 0).authenticate({ 'x-api-key': 'second-key' });
    expect(caller).toMatchObject({ models: 'all', scopes: new Set(['infer', 'admin', 'metrics']) });
  });

  it('is refused if it is another, shorter, longer, empty, or only its hash', () => {
    const { key, stored } = storedKey();
    const ring = ringOf(stored);
    const last = key.at(-1) === 'A' ? 'B' : 'A';
    const attacks = [
      key.slice(0, -1) + last,
      key.slice(0, -1),
      `${key}x`,
      '',
      ' ',
      stored.id,
      stored.hash,
      `${key},${key}`,
    ];
    for (const attack of attacks) {
      expect(() => ring.authenticate({ 'x-api-key': attack }), attack).toThrow(isRefused);
      expect(() => ring.authenticate({ authorization: `Bearer ${attack}` }), attack).toThrow(isRefused);
    }
    expect(() => ring.authenticate({ authorization: `Basic ${key}` })).toThrow(isRefused);
    expect(() => ring.authenticate({ authorization: key })).toThrow(isRefused);
    expect(() => ring.authenticate({})).toThrow(isRefused);
  });

  it('is refused with the id of another key', () => {
    const [mine, other] = [storedKey(), storedKey({ scopes: ['admin'] })];
    const swapped = mine.key.replace(mine.stored.id, other.stored.id);
    expect(() => ringOf(mine.stored, other.stored).authenticate({ 'x-api-key': swapped })).toThrow(isRefused);
  });

  it('is refused once it is revoked or expired', () => {
    const at = now.toISOString();
    const revoked = storedKey({ revoked: at });
    const expired = storedKey({ expires: at });
    const fresh = storedKey({ expires: '2026-01-01T00:00:01Z' });
    const ring = ringOf(revoked.stored, expired.stored, fresh.stored);
    expect(() => ring.authenticate({ 'x-api-key': revoked.key })).toThrow(isRefused);
    expect(() => ring.authenticate({ 'x-api-key': expired.key })).toThrow(isRefused);
    expect(ring.authenticate({ 'x-api-key': fresh.key }).id).toBe(fresh.stored.id);
  });
});

describe('authorize', () => {
  const caller = (change: Partial<Caller>): Caller => ({
    ...{
      id: 'k',
      name: 'k',
      scopes: new Set(['infer']),
      models: 'all',
      ratePerMinute: undefined,
      concurrency: undefined,
    },
    ...change,
  });
  const isForbidden = expect.objectContaining({ code: 'FORBIDDEN' });

  it('asks for the scope', () => {
    expect(() => authorize(caller({}), 'infer', 'iris')).not.toThrow();
    expect(() => authorize(caller({}), 'admin', 'iris')).toThrow(isForbidden);
    expect(() => authorize(caller({}), 'metrics')).toThrow(isForbidden);
    expect(() => authorize(caller({ scopes: new Set(['admin']) }), 'infer', 'iris')).toThrow(isForbidden);
  });

  it('asks for the model, and refuses what is about none', () => {
    const some = caller({ models: new Set(['iris']), scopes: new Set(['infer', 'admin', 'metrics']) });
    expect(() => authorize(some, 'infer', 'iris')).not.toThrow();
    for (const model of ['titanic', 'Iris', 'iris ', '', 'constructor', '__proto__', undefined]) {
      expect(() => authorize(some, 'infer', model), model).toThrow(isForbidden);
      expect(() => authorize(some, 'admin', model), model).toThrow(isForbidden);
    }
    expect(() => authorize(some, 'metrics')).toThrow(isForbidden);
  });
});

describe('the key file', () => {
  async function command(file: string, ...args: string[]) {
    const output: string[] = [];
    const keys = keysCommand(() => ({ file, now, write: (text) => void output.push(text) }));
    const read = readArguments(keys, args);
    if (read.asksForHelp) throw new Error('asks for help');
    const code = await keys.run(read.values, read.operands);
    return { code, output: output.join('') };
  }

  it('is written by the commands, readable by its owner alone, and holds no key', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'keys.json');
    const { output } = await command(
      file,
      ...['create', '--name', 'shop', '--scopes', 'infer,metrics', '--models', 'iris, titanic'],
      ...['--rate-per-minute', '60', '--concurrency', '4', '--expires', '2027-01-31'],
    );
    const key = output.trim();
    expect(key).toMatch(/^inferd_[0-9a-f]{8}_[\w-]{43}$/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toContain(key.slice(16));

    const [stored] = await readKeyFile(file);
    expect(stored).toMatchObject({
      name: 'shop',
      scopes: ['infer', 'metrics'],
      models: ['iris', 'titanic'],
      limits: { ratePerMinute: 60, concurrency: 4 },
      expires: '2027-01-31T00:00:00.000Z',
    });
    const caller = ringOf(...(await readKeyFile(file))).authenticate({ 'x-api-key': key });
    expect(caller).toMatchObject({ name: 'shop', ratePerMinute: 60, concurrency: 4 });

    await command(file, 'create', '--name', 'other');
    await command(file, 'revoke', stored?.id ?? '');
    const { output: list } = await command(file, 'list');
    expect(list).toMatch(new RegExp(`${stored?.id} +revoked +infer,metrics +iris,titanic .* shop`));
    expect(list).toMatch(/valid +infer +all +never +other/);
    expect(list).not.toContain(stored?.hash);
    expect(() => ringOf().authenticate({ 'x-api-key': key })).toThrow(isRefused);
  });

  it.each([
    [['create'], /--name/],
    [['create', '--name', ''], /--name/],
    [['create', '--name', 'a\nb'], /--name: Expected text without control characters.*"a\\nb"/],
    [['create', '--name', 'a'.repeat(101)], /--name: .*100/],
    [['create', '--name', 'a', '--scopes', 'root'], /--scopes.*root/],
    [['create', '--name', 'a', '--concurrency', '0'], /--concurrency/],
    [['create', '--name', 'a', '--expires', 'soon'], /--expires/],
    [['create', '--nmae', 'a'], /nmae/],
    [['revoke'], /which key/],
    [['revoke', '00000000'], /no key 00000000/],
  ])('is not changed by %j', async (args, message) => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'keys.json');
    await writeFile(file, '{"version":1,"keys":[]}');
    await expect(command(file, ...args)).rejects.toThrow(message);
    expect(await readFile(file, 'utf8')).toBe('{"version":1,"keys":[]}');
    expect(await stat(`${file}.new`).catch(() => 'gone')).toBe('gone');
  });

  it.each(['', 'a\u0000b', 'a\nb', '\u001b[2J', '\u007f', '\u0085', '\ud800', 'a'.repeat(101)])(
    'is refused with %j as the name of a key, which it names',
    (name) => {
      const json = JSON.stringify({ version: 1, keys: [storedKey().stored, storedKey({ name }).stored] });
      const error = expect.objectContaining({
        code: 'SETTINGS_INVALID',
        message: expect.stringMatching(/^The key file keys\.json is invalid: keys\.1\.name: [^;]+$/),
      });
      expect(() => parseKeyFile('keys.json', json)).toThrow(error);
    },
  );

  it('takes names in any writing', () => {
    const keys = ['Bücher & more', '书店', '🛒 shop', 'a'.repeat(100)].map((name) => storedKey({ name }).stored);
    expect(parseKeyFile('keys.json', JSON.stringify({ version: 1, keys }))).toEqual(keys);
  });

  it('is changed by one process at a time', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'keys.json');
    const changes = await Promise.allSettled(
      Array.from({ length: 10 }, () => changeKeyFile(file, (keys) => [...keys, storedKey().stored])),
    );
    const done = changes.filter(({ status }) => status === 'fulfilled');
    expect(done.length).toBeGreaterThanOrEqual(1);
    expect(await readKeyFile(file)).toHaveLength(done.length);
  });

  it('is followed: new keys come, revoked ones go, and a broken file changes nothing', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'keys.json');
    const [first, second] = [storedKey(), storedKey()];
    await changeKeyFile(file, () => [first.stored]);
    const clock = new VirtualClock();
    const problems: string[] = [];
    const log = { ...silent, error: (_details: object, message: string) => void problems.push(message) };
    const changed = () => new Promise<void>((resolve) => Object.assign(log, { info: () => resolve() }));
    const open = await openKeyRing({ apiKeys: [], apiKeysFile: file }, { clock, log, intervalMs: 1000 });
    const isValid = (key: string) => {
      try {
        return open?.keys.authenticate({ 'x-api-key': key }) !== undefined;
      } catch {
        return false;
      }
    };
    expect([isValid(first.key), isValid(second.key)]).toEqual([true, false]);

    const followed = changed();
    await changeKeyFile(file, () => [{ ...first.stored, revoked: now.toISOString() }, second.stored]);
    await clock.advance(1000);
    await followed;
    expect([isValid(first.key), isValid(second.key)]).toEqual([false, true]);

    await writeFile(file, '{"version":1,"keys":[{"id":"all"}]}');
    await expect.poll(() => clock.advance(1000).then(() => problems), { interval: 5 }).toHaveLength(1);
    expect([isValid(first.key), isValid(second.key)]).toEqual([false, true]);
    open?.close();
  });

  it('must be there at the start', async () => {
    const open = openKeyRing(
      { apiKeys: [], apiKeysFile: '/nonexistent/keys' },
      { clock: new VirtualClock(), log: silent },
    );
    await expect(open).rejects.toThrow(/API_KEYS_FILE.*\/nonexistent\/keys/);
  });

  it('without a key lets nobody in', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'keys.json');
    await changeKeyFile(file, () => []);
    const open = await openKeyRing({ apiKeys: [], apiKeysFile: file }, { clock: new VirtualClock(), log: silent });
    expect(() => open?.keys.authenticate({ 'x-api-key': 'anything' })).toThrow(isRefused);
    open?.close();
  });

  it('and API_KEYS are both unset: there are no keys, and everybody comes in', async () => {
    const options = { apiKeys: [], apiKeysFile: undefined };
    expect(await openKeyRing(options, { clock: new VirtualClock(), log: silent })).toBeUndefined();
  });
});
