import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtureRepository, type TemporaryFolder } from '../../helpers/folder.ts';
import { startReadyServer, type TestServer } from '../../helpers/server.ts';

const models = ['linear', 'big_ints', 'bools', 'strings', 'doubles'];

let repository: TemporaryFolder;
const servers = new Map<string, TestServer>();

beforeAll(async () => {
  repository = await fixtureRepository(models);
  for (const model of models) {
    servers.set(model, await startReadyServer({ MODELS_DIR: repository.path, DEFAULT_MODEL: model }, []));
  }
});

afterAll(async () => {
  for (const server of servers.values()) await server.stop();
  await repository[Symbol.asyncDispose]();
});

async function invoke(model: string, csv: string | Uint8Array, parameters = '') {
  const response = await fetch(`${servers.get(model)?.address}/invocations`, {
    method: 'POST',
    headers: { 'content-type': `text/csv${parameters}` },
    body: Buffer.from(csv),
  });
  return { status: response.status, text: await response.text() };
}

const rowsOf = ({ text }: { text: string }): unknown[] | undefined => JSON.parse(text).predictions;

describe('the first row of a CSV', () => {
  it.each([
    ['1,2,3,4\n5,6,7,8', '', 2],
    ['1,2,,4\n5,6,7,8', '', 2],
    ['nan,NA,3,4\n5,6,7,8', '', 2],
    [',,,\n5,6,7,8', '', 2],
    ['1,2,3,inf\n5,6,7,8', '', 2],
    ['a,b,c,d\n5,6,7,8', '', 1],
    ['1,2,3,d\n5,6,7,8', '', 1],
    ['1,2,3,4\n5,6,7,8', '; header=absent', 2],
    ['1,2,3,4\n5,6,7,8', '; charset=utf-8; Header="ABSENT"', 2],
    ['1,2,3,4\n5,6,7,8', '; header=present', 1],
    ['\ufeff1,2,3,4\n5,6,7,8', '', 2],
  ])('of %j, as text/csv%s, leaves %i rows', async (csv, parameters, rows) => {
    expect(rowsOf(await invoke('linear', csv, parameters))).toHaveLength(rows);
  });

  it('is a value where it is true or false, or said to be one', async () => {
    expect(rowsOf(await invoke('strings', 'true,false\na,b'))).toHaveLength(2);
    expect(rowsOf(await invoke('strings', 'a,b\nc,d'))).toHaveLength(1);
    expect(rowsOf(await invoke('strings', 'a,b\nc,d', '; header=absent'))).toHaveLength(2);
  });

  it.each(['; header=maybe', '; charset=klingon'])('with text/csv%s is refused', async (parameters) => {
    expect(await invoke('linear', '1,2,3,4', parameters)).toMatchObject({ status: 415 });
  });
});

describe('the cells of a CSV', () => {
  it('keep every digit of whole numbers, however they are written', async () => {
    const csv = 'x\n9007199254740993\n9007199254740993.0\n1.0\n1e3\n-0\n';
    expect((await invoke('big_ints', csv)).text).toBe(
      '{"predictions":[[9007199254740993],[9007199254740993],[1],[1000],[0]]}',
    );
  });

  it('keep a row of one empty cell in quotes', async () => {
    expect(rowsOf(await invoke('doubles', 'a\n1\n""\n2\n'))).toHaveLength(3);
    expect(rowsOf(await invoke('doubles', 'a\n1\n\n2\n'))).toHaveLength(2);
  });

  it('are read in the character set of the media type', async () => {
    const latin = await invoke(
      'strings',
      Buffer.from('a,b\ncaf\xe9,1\n', 'latin1'),
      '; charset=iso-8859-1; header=present',
    );
    expect(latin.text).toContain('café');
    expect(await invoke('strings', Buffer.from('a,b\ncaf\xe9,1\n', 'latin1'))).toMatchObject({ status: 400 });
  });

  it.each([
    ['doubles', '0x10'],
    ['doubles', '1e999'],
    ['doubles', ' '.repeat(2).concat('nan')],
    ['big_ints', '0x10'],
    ['big_ints', '1.5'],
    ['big_ints', '1e30'],
    ['big_ints', '""'],
    ['big_ints', 'NA'],
    ['bools', '2'],
  ])('of %s may not be %j', async (model, cell) => {
    const { status, text } = await invoke(model, `x\n${cell}\n`);
    expect([status, text]).toEqual([400, expect.stringContaining('of x')]);
  });
});
