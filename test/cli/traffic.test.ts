import { expect, it } from 'vitest';
import { inferdHere } from '../helpers/command.ts';
import { temporaryDatabase } from '../helpers/database.ts';
import { temporaryKeyFile } from '../helpers/keys.ts';
import { startReadyServer } from '../helpers/server.ts';
import { netRepository, shares } from '../traffic/traffic-server.ts';

it('inferd traffic shows, splits, promotes, rolls back and clears', async () => {
  await using database = await temporaryDatabase('embedded');
  await using repository = await netRepository({ traffic: { split: { 3: 1 }, stick: ['key'] } });
  await using server = await startReadyServer({ MODELS_DIR: repository.path, ...database.environment });
  await server.storage?.whenReady();
  const traffic = (...args: string[]) => inferdHere(['traffic', 'net', '--url', server.address, ...args], {});
  expect(await traffic()).toEqual({
    code: 0,
    errors: '',
    output: `net: split by model.json

VERSION  WEIGHT  SHARE
3        1       100 %
A client keeps to its version by key
`,
  });
  const split = await traffic('--split', '1=90,2=10', '--why', 'a first try');
  expect(split).toMatchObject({ code: 0, errors: '' });
  expect(split.output).toMatch(
    /^net: split as stored at \S+\n\nVERSION {2}WEIGHT {2}SHARE\n1 {8}90 {6}90 %\n2 {8}10 {6}10 %\nA client keeps to its version by key\n\nCHANGED .*BY {2}FROM {2}TO +WHY\n\S+ {2}- {3}- {5}1=90,2=10 {2}a first try\n$/,
  );
  expect(Object.keys(await shares(server.address))).toEqual(['1', '2']);
  await traffic('--promote', '2');
  expect(await shares(server.address)).toEqual({ 2: 100 });
  const back = await traffic('--rollback');
  expect(back.output).toContain('2=100      1=90,2=10  undoes the change of');
  expect(Object.keys(await shares(server.address))).toEqual(['1', '2']);
  expect((await traffic('--clear')).output).toMatch(/^net: split by model.json\n/);
  expect(await shares(server.address)).toEqual({ 3: 100 });
  expect((await traffic('--rollback')).output).toMatch(/^net: split as stored/);
});

it('inferd traffic says why it could not, and exits with 1', async () => {
  await using repository = await netRepository();
  await using keys = await temporaryKeyFile();
  const { key } = await keys.add({ scopes: ['admin'] });
  const environment = { MODELS_DIR: repository.path, STORAGE: '0', API_KEYS_FILE: keys.file };
  await using server = await startReadyServer(environment);
  const { address } = server;
  const traffic = (args: string[], apiKey: string) =>
    inferdHere(['traffic', 'net', '--url', address, ...args], { INFERD_API_KEY: apiKey });
  expect(await traffic([], key)).toMatchObject({ code: 0, output: expect.stringMatching(/^net: not split/) });
  expect(await traffic([], 'wrong')).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/^inferd traffic: .*key/),
  });
  const off = await traffic(['--split', '1=1'], key);
  expect(off).toMatchObject({ code: 1, errors: expect.stringContaining('set STORAGE=1') });
  expect(await traffic(['--rollback'], key)).toMatchObject({ code: 1 });
  for (const wrong of [
    ['--split', '1:90'],
    ['--split', '1=1', '--clear'],
    ['--promote', 'latest'],
  ]) {
    expect(await traffic(wrong, key)).toMatchObject({ code: 2, errors: expect.stringContaining(wrong[0] ?? '') });
  }
  const unreachable = await inferdHere(['traffic', 'net', '--url', 'http://127.0.0.1:1'], {});
  expect(unreachable).toMatchObject({ code: 1, errors: 'inferd traffic: http://127.0.0.1:1 cannot be reached\n' });
});
