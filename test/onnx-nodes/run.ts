/**
 * Sends the ONNX backend node tests through `/v2`, in binary and in JSON, and compares the outputs with those of a bare
 * session of onnxruntime-node: `node run.ts <folder of make_cases.py> [pattern of names]`.
 *
 * In binary the bits must be the same. In JSON an element that is NaN must be NaN, whatever its payload and sign, for
 * JSON has no more of it than that.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Bare } from './bare.ts';
import { type Case, readCase, wireInputs } from './cases.ts';
import { Client } from './client.ts';
import { Server } from './server.ts';
import { type Bared, type Form, judge, type Served, type Verdict } from './verdict.ts';

const batchSize = 50;
const loadsAtOnce = 3;
const forms: readonly Form[] = ['binary', 'json'];

interface Result {
  readonly name: string;
  readonly bare: Bared['kind'];
  readonly verdicts: Readonly<Record<Form, Verdict>>;
}

const [folder = '', pattern = ''] = process.argv.slice(2);
const names = readdirSync(folder).filter((name) => new RegExp(pattern).test(name));
const temporaryDir = mkdtempSync(path.join(os.tmpdir(), 'onnx-nodes-'));
const modelsDir = path.join(temporaryDir, 'models');
mkdirSync(modelsDir);
const startedMs = performance.now();
const results: Result[] = [];
const joined: string[] = [];
try {
  using server = await Server.start({ modelsDir, cacheDir: path.join(temporaryDir, 'cache') });
  using bare = new Bare();
  const client = new Client(server.address);
  for (let start = 0; start < names.length; start += batchSize) {
    const cases = names.slice(start, start + batchSize).map((name) => readCase(folder, name));
    results.push(...(await runBatch(cases, client, bare)));
    if (!server.isAlive) throw new Error(`inferd died in the batch that begins with ${names[start]}`);
    process.stderr.write(`${results.length} of ${names.length}\n`);
  }
} finally {
  rmSync(temporaryDir, { recursive: true });
}
report(results);

/** Puts the models into the repository, loads them, asks them, and takes them out again. */
async function runBatch(cases: readonly Case[], client: Client, bare: Bare): Promise<Result[]> {
  for (const { name, modelPath } of cases) {
    const target = path.join(modelsDir, name);
    mkdirSync(path.join(target, '1'), { recursive: true });
    cpSync(modelPath, path.join(target, '1', 'model.onnx'));
    // The bare session has one thread too, for the order of a sum may follow their number.
    writeFileSync(path.join(target, 'model.json'), JSON.stringify({ session: { intraOpThreads: 1 } }));
  }
  const loads = await inParallel(cases, ({ name }) => client.load(name));
  const index = await client.index();
  joined.push(...(await client.joined()));
  const served = cases.map(async (testCase, position): Promise<Served> => {
    const { name } = testCase;
    const load = loads[position] ?? { ok: false, status: 0, error: '' };
    const inputs = wireInputs(testCase);
    const entry = index.find((candidate) => candidate.name === name);
    if (!load.ok || inputs === undefined) return { load, index: entry };
    const [binary, json] = [await client.inferBinary(name, inputs), await client.inferJson(name, inputs)];
    return { load, index: entry, binary, json };
  });
  const all = await Promise.all(served);
  await inParallel(cases, ({ name }) => client.unload(name));
  for (const { name } of cases) rmSync(path.join(modelsDir, name), { recursive: true });

  const batch: Result[] = [];
  for (const [position, testCase] of cases.entries()) {
    const { name, modelPath } = testCase;
    const bared = await bare.run({ modelPath, inputs: wireInputs(testCase) });
    const ofCase = all[position];
    if (ofCase === undefined) continue;
    const verdict = (form: Form) => judge(bared, ofCase, form);
    batch.push({ name, bare: bared.kind, verdicts: { binary: verdict('binary'), json: verdict('json') } });
  }
  return batch;
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  const queue = [...items.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: loadsAtOnce }, worker));
  return results;
}

function report(all: readonly Result[]): void {
  const count = (fits: (result: Result) => boolean) => all.filter(fits).length;
  const loaded = ({ bare }: Result) => bare !== 'not loaded' && bare !== 'crashed';
  const lines = [
    ['tests', all.length],
    ['loaded by a bare session', count(loaded)],
    ['  of which it runs', count(({ bare }) => bare === 'run')],
    ...forms.flatMap((form) => [
      [`equal in ${form}`, count(({ verdicts }) => verdicts[form].kind === 'equal')],
      [`  and random: types and shapes equal`, count(({ verdicts }) => verdicts[form].kind === 'equal but random')],
    ]),
    ['refused at load, with the reason', count(({ verdicts }) => verdicts.binary.kind === 'refused at load')],
    ['refused because of types that are no tensors', count(({ verdicts }) => verdicts.binary.kind === 'no tensors')],
    ['whose requests share runs', joined.length],
    ['refused at run by both', count(({ verdicts }) => verdicts.binary.kind === 'refused at run')],
  ];
  const different = all.filter(({ verdicts }) => forms.some((form) => verdicts[form].kind === 'different'));
  for (const { name, verdicts } of different) {
    for (const form of forms) {
      const verdict = verdicts[form];
      if (verdict.kind === 'different') process.stdout.write(`DIFFERENT ${name}, ${form}: ${verdict.reason}\n`);
    }
  }
  process.stdout.write(`Requests share runs: ${joined.sort().join(', ') || 'none'}\n`);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  for (const [what, number] of [...lines, ['differences', different.length], ['seconds', seconds]]) {
    process.stdout.write(`${String(number).padStart(6)}  ${what}\n`);
  }
  process.exitCode = different.length === 0 && all.length > 0 ? 0 : 1;
}
