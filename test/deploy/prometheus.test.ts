import { expect, it } from 'vitest';
import { startProcess } from '../helpers/process.ts';
import { startPrometheus } from '../helpers/prometheus.ts';
import { postJson } from '../helpers/server.ts';

const flower = { sepal_length: 5.9, sepal_width: 3.0, petal_length: 5.1, petal_width: 1.8 };

it('a real Prometheus reads back the requests that were sent', async () => {
  await using server = await startProcess();
  await using prometheus = await startPrometheus(server.address);
  for (let i = 0; i < 30; i += 1) await postJson(server.address, '/iris/predict', flower);
  for (let i = 0; i < 5; i += 1) await postJson(server.address, '/iris/predict', {});
  await postJson(server.address, '/titanic/predict/batch', {
    instances: Array.from({ length: 7 }, () => ({ pclass: 3, sex: 'male' })),
  });
  await postJson(server.address, '/nowhere', {});

  const settled = { timeout: 10_000, interval: 100 };
  const statuses =
    'sum by (http_response_status_code) (http_server_request_duration_seconds_count{http_request_method="POST"})';
  await expect
    .poll(async () => {
      const series = await prometheus.query(statuses);
      return Object.fromEntries(series.map(({ metric, value }) => [metric['http_response_status_code'], value[1]]));
    }, settled)
    .toEqual({ '200': '31', '422': '5', '404': '1' });
  expect(await prometheus.value('inferd_inference_requests_total{model="iris",code="OK"}')).toBe(30);
  expect(await prometheus.value('inferd_batch_rows_sum{model="titanic"}')).toBe(7);
  expect(await prometheus.value('count(http_server_request_duration_seconds_count{http_route="unknown"})')).toBe(1);
  expect(await prometheus.value('sum(inferd_model_state{state="READY"})')).toBe(4);
  expect(await prometheus.value('inferd_ready')).toBe(1);
  const median = 'histogram_quantile(0.5, sum by (le) (inferd_inference_duration_seconds_bucket{model="iris"}))';
  expect(await prometheus.value(median)).toBeGreaterThan(0);
  expect(await prometheus.value('inferd_runner_resident_memory_bytes{model="iris",runner="0"}')).toBeGreaterThan(
    2 ** 20,
  );
});
