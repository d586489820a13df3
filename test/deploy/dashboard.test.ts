import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { shippedModelsDir, temporaryRepository } from '../helpers/folder.ts';
import { startProcess } from '../helpers/process.ts';
import { type Prometheus, startPrometheus } from '../helpers/prometheus.ts';
import { postJson } from '../helpers/server.ts';
import { alertQueries, alertsPath, type NamedQuery, panelQueries, readDashboard } from './queries.ts';

const flower = { sepal_length: 5.9, sepal_width: 3.0, petal_length: 5.1, petal_width: 1.8 };
const row = { features: [[5.9, 3, 5.1, 1.8]] };

/** iris as it is, as "narrow" with room for one waiting row, and a model that cannot be loaded. */
async function repository() {
  const folder = await temporaryRepository('iris');
  await mkdir(join(folder.path, 'narrow'));
  await cp(join(shippedModelsDir, 'iris/1'), join(folder.path, 'narrow/1'), { recursive: true });
  const manifest = { batching: { maxSize: 1, maxQueueRows: 1 } };
  await writeFile(join(folder.path, 'narrow/model.json'), JSON.stringify(manifest));
  await writeFile(join(folder.path, 'broken.onnx'), 'no model');
  return folder;
}

/** Sends a little of everything that can happen: answers, refusals of a full queue, and of a model that is not there. */
async function sendTraffic(address: string): Promise<void> {
  const post = async (path: string, body: unknown) => (await postJson(address, path, body)).status;
  await Promise.all(Array.from({ length: 20 }, () => post('/iris/predict', flower)));
  await post('/models/broken/predict', row);
  await Promise.all(Array.from({ length: 50 }, () => post('/models/narrow/predict', row)));
}

/** The queries that have nothing to show: no series, or none with a number. */
async function emptyOnes(prometheus: Prometheus, queries: readonly NamedQuery[]): Promise<string[]> {
  const answers = await Promise.all(
    queries.map(async ({ name, query }) => ({ name, series: await prometheus.query(query) })),
  );
  return answers
    .filter(({ series }) => series.every(({ value }) => Number.isNaN(Number(value[1]))))
    .map(({ name }) => name);
}

it('every panel, choice and alert asks for what a real server exposes', async () => {
  await using models = await repository();
  await using server = await startProcess({ MODELS_DIR: models.path });
  await using prometheus = await startPrometheus(server.address, [alertsPath]);
  // What has to be seen twice to have a rate is sent until it has one.
  const refusals = 'count(rate(inferd_inference_requests_total{code=~"QUEUE_FULL|MODEL_NOT_READY"}[30s]) > 0)';
  const traffic = async () => {
    await sendTraffic(server.address);
    return prometheus.value(refusals);
  };
  await expect.poll(traffic, { timeout: 30_000 }).toBe(2);

  const panels = panelQueries();
  expect(panels.length).toBeGreaterThan(30);
  expect.soft(await emptyOnes(prometheus, panels)).toEqual([]);

  const alerts = alertQueries();
  expect(alerts.length).toBeGreaterThan(10);
  expect.soft(await emptyOnes(prometheus, alerts)).toEqual([]);

  for (const { name, definition } of readDashboard().templating.list) {
    if (definition === undefined) continue;
    const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? [];
    const choices = (await prometheus.query(`count by (${label}) (${metric})`)).map(({ metric }) => metric[label]);
    expect.soft(choices, name).not.toEqual([]);
    expect.soft(choices, name).not.toContain(undefined);
  }

  const wellEvaluated = new Map(alerts.map(({ name }) => [name, '']));
  await expect.poll(() => prometheus.ruleErrors(), { timeout: 15_000 }).toEqual(wellEvaluated);
  const raised = async () => (await prometheus.query('ALERTS')).map(({ metric }) => metric['alertname']);
  await expect
    .poll(raised, { timeout: 15_000 })
    .toEqual(expect.arrayContaining(['InferdModelUnavailable', 'InferdNotReady', 'InferdOverload', 'InferdFailures']));
});
