import { discoverModel, discoverModels, discoverServer } from '../../src/conformance/discover.ts';
import type { Reply } from '../../src/conformance/http-client.ts';
import { HttpClient } from '../../src/conformance/http-client.ts';
import { readInferReply } from '../../src/conformance/infer-reply.ts';
import { binaryRequest, encodeBinary, jsonLengthHeader } from '../../src/conformance/infer-request.ts';
import { describe } from '../../src/conformance/json.ts';
import {
  acceptedExamples,
  type ModelUnderTest,
  plainAnswer,
  sendInfer,
} from '../../src/conformance/model-under-test.ts';
import { expectSameAnswer } from '../../src/conformance/same-tensor.ts';
import { randomNumbers } from '../../src/tensor/random-numbers.ts';
import { growth, residentMegabytes } from './memory.ts';
import { type Draft, encodeDraft, mutate, pick } from './mutate.ts';
import { startServerProcess } from './server-process.ts';

export interface BodyFuzzOptions {
  readonly modelsDir: string;
  readonly seed: number;
  readonly count: number;
  /** Number of the one request to send. */
  readonly only?: number | undefined;
}

/**
 * How far memory may grow after the warm-up. The resident memory of the main process breathes with the bombs, each of which is read up to
 * the limit of a body: what is bounded closely is what is in use once the garbage is collected.
 */
const mostGrowthMegabytes = { live: 8, main: 512, runner: 24 };
const atOnce = 8;

/** Sends changed binary requests. Tells whether the server refused or answered every one properly, and stayed as it was. */
export async function fuzzBodies({ modelsDir, seed, count, only }: BodyFuzzOptions): Promise<boolean> {
  await using server = await startServerProcess(modelsDir);
  const http = new HttpClient(server.address, { timeoutMs: 30_000, headers: {} });
  const target = await discoverServer(http, false);
  const models = await Promise.all((await discoverModels(http)).map((name) => discoverModel(target, name, seed)));
  const runners = await runnerPids(http, models);
  const faults: string[] = [];
  const statuses = new Map<number, number>();
  const samples = new Map<number, number[]>([server.pid, ...runners.values()].map((pid) => [pid, []]));
  const sampleEvery = Math.max(1, Math.floor(count / 100));

  let next = only ?? 0;
  const work = async (end: number) => {
    while (next < end && server.exit() === undefined && faults.length < 20) {
      const number = next++;
      const { status, fault } = await tryOne(models, seed, number);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (fault !== undefined) faults.push(`request ${number}, ${fault}`);
      if (number % sampleEvery !== 0) continue;
      for (const [pid, of] of samples) of.push(residentMegabytes(pid));
    }
  };
  const send = (end: number) => Promise.all(Array.from({ length: atOnce }, () => work(end)));
  await send(only === undefined ? Math.floor(count / 4) : only + 1);
  const warmMegabytes = await server.liveMegabytes();
  if (only === undefined) await send(count);

  let liveMegabytes = 0;
  if (server.exit() !== undefined) faults.push(`the server ended: ${server.exit()}`);
  else {
    liveMegabytes = (await server.liveMegabytes()) - warmMegabytes;
    if (liveMegabytes > mostGrowthMegabytes.live) {
      faults.push(`${liveMegabytes.toFixed(1)} MB more are in use, at most ${mostGrowthMegabytes.live}`);
    }
    faults.push(...(await stillRight(models)));
    const now = await runnerPids(http, models);
    for (const [name, pid] of runners) if (now.get(name) !== pid) faults.push(`the runner of ${name} was replaced`);
  }
  const grown = [...samples].map(([pid, of]) => ({ isMain: pid === server.pid, megabytes: growth(of) }));
  for (const { isMain, megabytes } of only === undefined ? grown : []) {
    const most = isMain ? mostGrowthMegabytes.main : mostGrowthMegabytes.runner;
    if (megabytes > most)
      faults.push(`${isMain ? 'main' : 'a runner'} grew by ${megabytes.toFixed(1)} MB, at most ${most}`);
  }
  const main = grown.find(({ isMain }) => isMain)?.megabytes ?? 0;
  const runner = Math.max(...grown.filter(({ isMain }) => !isMain).map(({ megabytes }) => megabytes));
  const counts = [...statuses].sort().map(([status, times]) => `${times} × ${status}`);
  process.stdout.write(`Bodies: seed ${seed}, ${models.length} models, ${counts.join(', ')}\n`);
  process.stdout.write(
    `Growth after warm-up: ${liveMegabytes.toFixed(1)} MB in use; resident: main ${main.toFixed(1)} MB, the runner that grew most ${runner.toFixed(1)} MB
`,
  );
  for (const fault of faults) process.stdout.write(`FAIL ${fault}\n`);
  return faults.length === 0;
}

async function tryOne(models: readonly ModelUnderTest[], seed: number, number: number) {
  const random = randomNumbers(seed * 1_000_003 + number);
  const model = pick(random, models);
  const { draft, how } = draftOf(model, random);
  const encoded = encodeDraft(draft);
  try {
    const reply = await sendInfer(model, encoded);
    const fault = faultOf(reply);
    return { status: reply.status, fault: fault && `${model.name}, ${how.join(', ')}: ${fault}` };
  } catch (error) {
    return { status: 0, fault: `${model.name}, ${how.join(', ')}: no answer: ${error}` };
  }
}

/** A proper binary request of the model, with changes. */
function draftOf(model: ModelUnderTest, random: () => number): { draft: Draft; how: string[] } {
  const { inputs } = pick(random, acceptedExamples(model));
  const { request, sections } = binaryRequest(inputs);
  const parameters = { binary_data_output: random() < 0.5 };
  const json: Record<string, unknown> = structuredClone({ id: 'fuzz', ...request, parameters });
  const jsonBytes = Buffer.byteLength(JSON.stringify(json));
  const draft: Draft = {
    json,
    sections: Buffer.concat(sections),
    headers: { [jsonLengthHeader]: String(jsonBytes) },
    finish: [],
  };
  const how = mutate(draft, random);
  // Most changes of the JSON would otherwise be hidden behind a wrong length.
  const isToldWrongly = how.some((name) => /Length$/.test(name));
  const jsonNow = Buffer.byteLength(draft.text ?? JSON.stringify(draft.json));
  if (!isToldWrongly) draft.headers[jsonLengthHeader] = String(jsonNow);
  return { draft, how };
}

/** What is wrong with a reply to a request that may be wrong; undefined if nothing is. */
export function faultOf(reply: Reply): string | undefined {
  if (reply.status >= 500) return `answered by ${describe(reply)}`;
  try {
    if (reply.status === 200) {
      readInferReply(reply);
      return undefined;
    }
    const { error } = JSON.parse(reply.body.toString());
    return typeof error === 'string' && error !== '' ? undefined : `no error text in ${describe(reply)}`;
  } catch (error) {
    return `${reply.status} cannot be read: ${error}`;
  }
}

/** Every model still gives the answers that it gave before. */
async function stillRight(models: readonly ModelUnderTest[]): Promise<string[]> {
  const faults = models.map(async (model) => {
    try {
      for (const example of acceptedExamples(model)) {
        const reply = await sendInfer(model, encodeBinary(binaryRequest(example.inputs)));
        expectSameAnswer(readInferReply(reply).outputs, plainAnswer(example));
      }
      return [];
    } catch (error) {
      return [`${model.name} does not answer as before: ${error}`];
    }
  });
  return (await Promise.all(faults)).flat();
}

async function runnerPids(http: HttpClient, models: readonly ModelUnderTest[]): Promise<Map<string, number>> {
  const pids = new Map<string, number>();
  for (const { name } of models) {
    const { body } = await http.send({ method: 'GET', path: `/models/${name}` });
    const { versions } = JSON.parse(body.toString()) as { versions: { runners?: { pid: number }[] }[] };
    const pid = versions[0]?.runners?.[0]?.pid;
    if (pid !== undefined) pids.set(name, pid);
  }
  return pids;
}
