import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scanRepository } from '../../src/models/repository/repository.ts';
import { temporaryDatabase } from '../helpers/database.ts';
import { temporaryRepository } from '../helpers/folder.ts';
import { processesFor } from '../helpers/local-runner.ts';
import { runnerPids } from '../helpers/process.ts';
import { type Scrape, scrape } from '../helpers/scrape.ts';
import { postJson, startReadyServer } from '../helpers/server.ts';
import { whenTasksAreReady } from '../helpers/tasks.ts';

const flower = { sepal_length: 5.9, sepal_width: 3.0, petal_length: 5.1, petal_width: 1.8 };
const iris = { model: 'iris', version: '1' };
const phases = ['parse', 'encode', 'queue', 'batch', 'infer', 'decode'];

/** The connection of an answer ends a moment after the client has it. */
async function scrapeUntil(
  address: string,
  name: string,
  labels: Record<string, string>,
  value: number,
): Promise<Scrape> {
  let last = await scrape(address);
  await expect
    .poll(async () => {
      last = await scrape(address);
      return last.value(name, labels);
    })
    .toBe(value);
  return last;
}

describe('GET /metrics', () => {
  it('counts the requests that were sent, their phases and their runs', async () => {
    await using server = await startReadyServer();
    for (let i = 0; i < 20; i += 1) await postJson(server.address, '/iris/predict', flower);
    await postJson(server.address, '/iris/predict/batch', { instances: [flower, flower, flower] });
    await postJson(server.address, '/iris/predict', { sepal_length: 'wide' });

    const parsed = { ...iris, phase: 'parse' };
    const figures = await scrapeUntil(server.address, 'inferd_inference_phase_duration_seconds_count', parsed, 21);
    expect(figures.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(figures.value('inferd_inference_requests_total', { ...iris, code: 'OK' })).toBe(21);
    expect(figures.value('inferd_inference_duration_seconds_count', iris)).toBe(21);
    expect(figures.value('inferd_inference_duration_seconds_bucket', { ...iris, le: '+Inf' })).toBe(21);
    expect(figures.value('inferd_batch_rows_sum', iris)).toBe(23);
    expect(figures.value('inferd_batch_rows_count', iris)).toBe(21);
    expect(figures.value('inferd_batch_fill_ratio_sum', iris)).toBeCloseTo(23 / 32);

    const spent = phases.map((phase) => {
      expect(figures.value('inferd_inference_phase_duration_seconds_count', { ...iris, phase }), phase).toBe(21);
      return figures.value('inferd_inference_phase_duration_seconds_sum', { ...iris, phase }) ?? 0;
    });
    const totalSeconds = figures.value('inferd_inference_duration_seconds_sum', iris) ?? 0;
    expect(spent.slice(1, 5).reduce((sum, seconds) => sum + seconds, 0)).toBeLessThanOrEqual(totalSeconds);

    const route = { http_request_method: 'POST', http_route: '/iris/predict', url_scheme: 'http' };
    const http = 'http_server_request_duration_seconds_count';
    expect(figures.value(http, { ...route, http_response_status_code: '200' })).toBe(20);
    expect(figures.value(http, { ...route, http_response_status_code: '422' })).toBe(1);
    expect(figures.value('http_server_active_requests', { http_request_method: 'POST' })).toBe(0);
    expect(figures.value('http_server_active_requests', { http_request_method: 'GET' })).toBe(1);
  });

  it('tells of models, queues, runners and the process', async () => {
    await using server = await startReadyServer({}, undefined, { spawnRunner: processesFor('iris') });
    await postJson(server.address, '/iris/predict', flower);
    const figures = await scrape(server.address);
    expect(figures.value('inferd_ready')).toBe(1);
    expect(figures.value('inferd_build_info', { version: '0.0.0-test' })).toBe(1);
    expect(figures.value('inferd_model_state', { ...iris, state: 'READY' })).toBe(1);
    expect(figures.value('inferd_model_state', { ...iris, state: 'UNAVAILABLE' })).toBe(0);
    expect(figures.value('inferd_model_loads_total', { ...iris, outcome: 'success' })).toBe(1);
    expect(figures.value('inferd_model_load_duration_seconds', iris)).toBeGreaterThan(0);
    expect(figures.value('inferd_model_cost_per_run_seconds', iris)).toBeGreaterThan(0);
    expect(figures.value('inferd_model_cost_per_row_seconds', iris)).toBeGreaterThanOrEqual(0);
    expect(figures.value('inferd_queue_rows', iris)).toBe(0);
    expect(figures.value('inferd_queue_oldest_wait_seconds', iris)).toBe(0);
    expect(figures.value('inferd_queue_limit_rows', iris)).toBe(4096);
    expect(figures.value('inferd_runners', { ...iris, state: 'ready' })).toBe(1);
    expect(figures.value('inferd_runner_resident_memory_bytes', { ...iris, runner: '0' })).toBeGreaterThan(2 ** 20);
    expect(figures.value('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
    expect(figures.value('process_resident_memory_bytes')).toBeGreaterThan(2 ** 20);
  });

  it('counts refusals by their code, and what came too late', async () => {
    await using server = await startReadyServer();
    const body = { instances: Array.from({ length: 1000 }, () => ({ text: 'a long review '.repeat(20) })) };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        postJson(server.address, '/sentiment/predict/batch', body, { 'x-request-timeout-ms': '1' }),
      ),
    );
    const codes = Object.groupBy(answers, ({ body }) => String((body as { code?: string }).code));
    const figures = await scrape(server.address);
    const sentiment = { model: 'sentiment', version: '1' };
    let missed = 0;
    for (const [code, refused = []] of Object.entries(codes)) {
      expect(code).toMatch(/^DEADLINE_/);
      expect(figures.value('inferd_inference_requests_total', { ...sentiment, code }), code).toBe(refused.length);
      missed += refused.length;
    }
    expect(missed).toBe(8);
    expect(figures.value('inferd_inference_deadline_misses_total', sentiment)).toBe(8);
  });

  it('makes no series of what a client writes', async () => {
    await using server = await startReadyServer();
    for (const path of ['/one', '/two?x=1', '/models/nobody/predict', '/nobody/predict']) {
      await postJson(server.address, path, flower);
    }
    await fetch(new URL('/three', server.address), { method: 'PROPFIND' });
    const unknown = { http_route: 'unknown', http_request_method: 'POST' };
    const figures = await scrapeUntil(server.address, 'http_server_request_duration_seconds_count', unknown, 2);
    const anyName = { http_route: '/:name/predict', http_request_method: 'POST' };
    expect(figures.value('http_server_request_duration_seconds_count', anyName)).toBe(1);
    const other = { http_route: 'unknown', http_request_method: '_OTHER' };
    expect(figures.value('http_server_request_duration_seconds_count', other)).toBe(1);
    expect(figures.text).not.toMatch(/nobody|"\/one|"\/two|PROPFIND/);
  });

  it('counts a request whose client has gone, and does not take it for an active one', async () => {
    await using server = await startReadyServer();
    const request = httpRequest(new URL('/iris/predict', server.address), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '1000' },
    });
    request.on('error', () => {});
    request.write('{');
    const active = { http_request_method: 'POST' };
    await scrapeUntil(server.address, 'http_server_active_requests', active, 1);
    request.destroy();
    const figures = await scrapeUntil(server.address, 'http_server_active_requests', active, 0);
    expect(figures.value('http_server_request_duration_seconds_count', active)).toBe(1);
  });

  it('counts the runners that died', async () => {
    await using server = await startReadyServer({}, undefined, { spawnRunner: processesFor('iris') });
    for (const pid of await runnerPids(server.address, 'iris')) process.kill(pid, 'SIGKILL');
    await scrapeUntil(server.address, 'inferd_runner_restarts_total', iris, 1);
  });

  it('forgets a model that is gone, and says that no model is left', async () => {
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    await postJson(server.address, '/iris/predict', flower);
    await rm(join(repository.path, 'iris'), { recursive: true });
    await server.registry.sync(await scanRepository(repository.path));
    const figures = await scrape(server.address);
    expect(figures.text).not.toContain('model="iris"');
    expect(figures.value('inferd_ready')).toBe(0);
  });

  it('is in OpenMetrics when Accept asks for it, however often and whoever else asks otherwise', async () => {
    await using server = await startReadyServer();
    await postJson(server.address, '/iris/predict', flower);
    const accept = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3';
    for (let i = 0; i < 2; i += 1) {
      const figures = await scrape(server.address, accept);
      expect(figures.contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
      expect(figures.text.endsWith('\n# EOF\n')).toBe(true);
      expect(figures.families.get('inferd_inference_requests')).toBe('counter');
      expect(figures.value('inferd_inference_requests_total', { ...iris, code: 'OK' })).toBe(1);
      expect(figures.value('inferd_batch_rows_bucket', { ...iris, le: '1.0' })).toBe(1);

      const plain = await scrape(server.address);
      expect(plain.families.get('inferd_inference_requests_total')).toBe('counter');
      expect(plain.value('inferd_batch_rows_bucket', { ...iris, le: '1' })).toBe(1);
    }
  });

  it("has Triton's names with TRITON_METRICS only", async () => {
    await using server = await startReadyServer({ TRITON_METRICS: '1' });
    await postJson(server.address, '/iris/predict/batch', { instances: [flower, flower] });
    const figures = await scrape(server.address);
    expect(figures.value('nv_inference_request_success', iris)).toBe(1);
    expect(figures.value('nv_inference_count', iris)).toBe(2);
    expect(figures.value('nv_inference_exec_count', iris)).toBe(1);
    expect(figures.value('nv_inference_request_failure', { ...iris, reason: 'REJECTED' })).toBe(0);
    expect(figures.value('nv_inference_request_duration_us', iris)).toBeGreaterThan(0);
    expect(figures.value('nv_inference_compute_infer_duration_us', iris)).toBeGreaterThan(0);
    expect(figures.value('nv_inference_pending_request_count', iris)).toBe(0);
    expect(figures.value('nv_model_load_duration_secs', iris)).toBeGreaterThan(0);

    await using without = await startReadyServer();
    expect((await scrape(without.address)).text).not.toContain('nv_');
  });

  it('is not there with METRICS=0', async () => {
    await using server = await startReadyServer({ METRICS: '0' });
    expect((await fetch(new URL('/metrics', server.address))).status).toBe(404);
    expect(await postJson(server.address, '/iris/predict', flower)).toMatchObject({ status: 200 });
  });
});

describe('docs/metrics.md', () => {
  it('has every metric with its type, and no other', async () => {
    await using database = await temporaryDatabase('embedded');
    await using server = await startReadyServer({ TRITON_METRICS: '1', ...database.environment });
    await whenTasksAreReady(server.address);
    await postJson(server.address, '/iris/predict', flower);
    const { families } = await scrape(server.address);
    const docs = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    const documented = docs.matchAll(/^\| `([a-z]\w+)` \| (counter|gauge|histogram) \|/gm);
    const rows = [...documented].map(([, name, type]) => `${name} ${type}`);
    expect(rows.sort()).toEqual([...families].map(([name, type]) => `${name} ${type}`).sort());
  });
});
