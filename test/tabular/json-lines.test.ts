import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { readJsonLines, writeJsonLines } from '../../src/tabular/json-lines.ts';

async function* pages(): AsyncGenerator<{ a: unknown }[]> {
  yield [{ a: 1 }, { a: 'x\ny' }];
  yield [];
  yield [{ a: null }];
}

it('JSON Lines are read back as they were written, without empty lines', async () => {
  const written = await Array.fromAsync(writeJsonLines(pages(), (row) => JSON.stringify(row)));
  expect(written).toHaveLength(2);
  const lines = readJsonLines(Readable.from(['\n', ...written, ' \r\n']));
  expect(await Array.fromAsync(lines, (line) => JSON.parse(line))).toEqual([{ a: 1 }, { a: 'x\ny' }, { a: null }]);
});
