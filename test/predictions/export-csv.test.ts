import { expect, it } from 'vitest';
import { exportFormats } from '../../src/predictions/export/formats.ts';
import type { StoredPrediction } from '../../src/predictions/stored-prediction.ts';

const prediction = (change: Partial<StoredPrediction>): StoredPrediction => ({
  id: '01a22425-c4ee-7d3a-8e87-063fda406074',
  instance: 0,
  at: new Date(0),
  request_id: 'r',
  model: 'iris',
  version: '1',
  domain: null,
  key_id: null,
  key_name: null,
  status: 'OK',
  total_ms: -1.5,
  encode_ms: null,
  queue_ms: null,
  batch_ms: null,
  infer_ms: null,
  batch_rows: null,
  options: null,
  steps: null,
  role: null,
  of_id: null,
  of_instance: null,
  inputs: '{"x":-1}',
  outputs: '{"y":"=1+1"}',
  feedback: [],
  ...change,
});

async function cellsOf(change: Partial<StoredPrediction>): Promise<string> {
  const pages = (async function* () {
    yield [prediction(change)];
  })();
  let text = '';
  for await (const part of exportFormats.csv.write(pages)) text += part;
  return text.split('\r\n').slice(1).join('\r\n');
}

const at = '1970-01-01T00:00:00.000Z';

it.each(['=HYPERLINK("http://x")', '+1', '-1', '@SUM(1)', '\t=1', '\r=1', '\n=1'])(
  'a text that a spreadsheet would compute is one that it would not: %j',
  async (comment) => {
    const line = await cellsOf({ feedback: [{ at, comment }], request_id: '=1+1', key_name: '@key' });
    const cell = `'${comment}`.replaceAll('"', '""');
    expect(line).toMatch(new RegExp(`,"?${RegExp.escape(cell)}"?,,,,\\r\\n$`));
    expect(line).toContain(",'=1+1,iris,");
    expect(line).toContain(",'@key,OK,");
  },
);

it('numbers, JSON and other texts stay as they are', async () => {
  const line = await cellsOf({ feedback: [{ at, label: -5, score: -0.5, comment: 'a = b' }] });
  expect(line).toContain(',OK,-1.5,,');
  expect(line).toMatch(/,"\{""x"":-1\}","\{""y"":""=1\+1""\}",-5,-0\.5,a = b,,,,\r\n$/);
});
