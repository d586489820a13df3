import type { ModelCheck } from '../check.ts';
import { jsonRequest } from '../infer-request.ts';
import { expectStatus, type Fields, isObject, objectOf, show } from '../json.ts';
import { acceptedInputs, inferJson, type ModelUnderTest, modelPath } from '../model-under-test.ts';
import { expect, NotTried } from '../verdict.ts';

const section = 'Statistics Extension';
const requests = 5;
const counters = ['inference_count', 'execution_count', 'last_inference'];
const durations = ['success', 'fail', 'queue', 'compute_input', 'compute_infer', 'compute_output'];

/** Counters of what a model has served. Requests of others meanwhile only raise them. */
export const statisticsChecks: readonly ModelCheck[] = [
  {
    id: 'statistics.members',
    section,
    level: 'MUST',
    says: 'The statistics of a model have all members, of their types',
    run: async (model) => void (await read(model)),
  },
  {
    id: 'statistics.all-models',
    section,
    level: 'MUST',
    says: 'GET /v2/models/stats has every model',
    async run(model) {
      const stats = await readList(model, '/v2/models/stats');
      expect(
        stats.some(({ name }) => name === model.name),
        `it has ${show(stats.map(({ name }) => name))}`,
      );
    },
  },
  {
    id: 'statistics.version',
    section,
    level: 'MUST',
    says: 'The statistics of a version are of that version alone',
    async run(model) {
      const [version] = model.versions;
      if (version === undefined) throw new NotTried('the metadata lists no versions');
      const versions = (await readList(model, `${modelPath(model.name, version)}/stats`)).map(
        (stat) => stat['version'],
      );
      expect(show(versions) === show([version]), `versions are ${show(versions)}, not ${show([version])}`);
    },
  },
  {
    id: 'statistics.counts',
    section,
    level: 'MUST',
    says: 'Each request that succeeds is counted',
    async run(model) {
      const before = await read(model);
      await serve(model);
      const after = await read(model);
      for (const counter of ['inference_count', 'success', 'queue']) {
        const increase = Number(after.get(counter)) - Number(before.get(counter));
        expect(increase >= requests, `${counter} rose by ${increase} in ${requests} requests`);
      }
      expect(
        Number(after.get('execution_count')) > Number(before.get('execution_count')),
        'execution_count did not rise',
      );
      expect(Number(after.get('last_inference')) > 1.5e12, 'last_inference is not in milliseconds since 1970');
    },
  },
  {
    id: 'statistics.monotonic',
    section,
    level: 'MUST',
    says: 'No counter and no duration falls',
    async run(model) {
      const before = await read(model);
      await serve(model);
      for (const [counter, value] of await read(model)) {
        const earlier = before.get(counter) ?? 0;
        expect(value >= earlier, `${counter} fell from ${earlier} to ${value}`);
      }
    },
  },
  {
    id: 'statistics.consistent',
    section,
    level: 'SHOULD',
    says: 'There are no more executions than inferences, and the batches have as many rows as were counted',
    async run(model) {
      await serve(model);
      const all = await read(model);
      const [inferences, executions] = [Number(all.get('inference_count')), Number(all.get('execution_count'))];
      expect(executions <= inferences, `${executions} executions of ${inferences} inferences`);
      const rows = all.get('batch_stats.rows');
      expect(
        rows === undefined || rows === inferences,
        `the batches have ${rows} rows, inference_count is ${inferences}`,
      );
    },
  },
];

async function serve(model: ModelUnderTest): Promise<void> {
  const request = jsonRequest(acceptedInputs(model));
  for (let sent = 0; sent < requests; sent++) expectStatus(await inferJson(model, request), 200);
}

async function readList({ server }: ModelUnderTest, path: string): Promise<readonly Fields[]> {
  if (!server.extensions.has('statistics')) throw new NotTried('the server does not advertise statistics');
  const { model_stats: stats } = objectOf(await server.http.send({ method: 'GET', path }));
  expect(Array.isArray(stats) && stats.every(isObject), `model_stats is ${show(stats)}`);
  return stats;
}

/** All counters of the model, summed over its versions. */
async function read(model: ModelUnderTest): Promise<ReadonlyMap<string, number>> {
  const stats = await readList(model, `${modelPath(model.name)}/stats`);
  expect(stats.length > 0, 'model_stats is empty');
  const sums = new Map<string, number>();
  const add = (name: string, value: unknown) => {
    expect(typeof value === 'number' && value >= 0, `${name} is ${show(value)}`);
    sums.set(name, (sums.get(name) ?? 0) + value);
  };
  for (const stat of stats) {
    expect(stat['name'] === model.name, `name is ${show(stat['name'])}`);
    expect(typeof stat['version'] === 'string', `version is ${show(stat['version'])}`);
    for (const counter of counters) add(counter, stat[counter]);
    const inference = stat['inference_stats'];
    expect(isObject(inference), `inference_stats is ${show(inference)}`);
    for (const name of durations) addDuration(name, inference[name], add);
    const batches = stat['batch_stats'];
    expect(Array.isArray(batches) && batches.every(isObject), `batch_stats is ${show(batches)}`);
    for (const batch of batches) {
      const { count } = Object(batch['compute_infer']);
      add('batch_stats.rows', Number(batch['batch_size']) * Number(count));
    }
  }
  return sums;
}

function addDuration(name: string, duration: unknown, add: (name: string, value: unknown) => void): void {
  expect(isObject(duration), `inference_stats.${name} is ${show(duration)}`);
  add(name, duration['count']);
  add(`${name}.ns`, duration['ns']);
}
