import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { writeGraph } from '../graphs/write-graph-models.ts';
import { temporaryRepository } from '../helpers/folder.ts';
import { attributesOf, type OtlpCollector, startOtlpCollector } from '../helpers/otlp-collector.ts';
import { postJson, startReadyServer } from '../helpers/server.ts';

const flower = { sepal_length: 5.9, sepal_width: 3.0, petal_length: 5.1, petal_width: 1.8 };
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';

const exportTo = ({ url }: OtlpCollector) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_BSP_SCHEDULE_DELAY: '10',
  OTEL_METRIC_EXPORT_INTERVAL: '100',
});

/** prom-client brings the small API package along, which does nothing by itself. */
const isLoaded = () =>
  Object.keys(createRequire(import.meta.url).cache).some((path) => /@opentelemetry\/(?!api\/)/.test(path));

describe('OpenTelemetry', () => {
  // First in the file: what is loaded stays loaded.
  it('is not even loaded while no variable asks for it', async () => {
    await using server = await startReadyServer();
    await postJson(server.address, '/iris/predict', flower);
    expect(isLoaded()).toBe(false);

    await using collector = await startOtlpCollector();
    await using disabled = await startReadyServer({ ...exportTo(collector), OTEL_SDK_DISABLED: 'true' });
    await postJson(disabled.address, '/iris/predict', flower);
    expect(isLoaded()).toBe(false);

    await using tracing = await startReadyServer(exportTo(collector));
    expect(await postJson(tracing.address, '/iris/predict', flower)).toMatchObject({ status: 200 });
    expect(isLoaded()).toBe(true);
  });

  it('sends a server span of every request, in the trace of its client', async () => {
    await using collector = await startOtlpCollector();
    {
      await using server = await startReadyServer({
        ...exportTo(collector),
        OTEL_SERVICE_NAME: 'flowers',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test,team=a%20b',
        OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=one',
      });
      const headers = { traceparent: `00-${traceId}-${parentId}-01`, tracestate: 'vendor=1', 'user-agent': 'tester' };
      await postJson(server.address, '/iris/predict?x=1', flower, headers);
      await postJson(server.address, '/iris/predict', { sepal_length: 'wide' });
      await postJson(server.address, '/nowhere', {});
    }
    const servers = collector.spans.filter(({ kind }) => kind === 2);
    expect(servers.map(({ name }) => name).sort()).toEqual(['POST', 'POST /iris/predict', 'POST /iris/predict']);

    const span = servers.find((candidate) => candidate.traceId === traceId);
    if (span === undefined) throw new Error('No span in the trace of the client');
    expect(span.parentSpanId).toBe(parentId);
    expect(span.status.code ?? 0).toBe(0);
    expect(attributesOf(span)).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/iris/predict',
      'http.response.status_code': 200,
      'url.path': '/iris/predict',
      'url.query': 'x=1',
      'url.scheme': 'http',
      'client.address': '127.0.0.1',
      'user_agent.original': 'tester',
      'network.protocol.version': '1.1',
      'inferd.model.name': 'iris',
      'inferd.model.version': '1',
    });
    const refused = servers.find((candidate) => attributesOf(candidate)['http.response.status_code'] === 422);
    expect(refused?.status.code ?? 0).toBe(0);
    expect(refused?.parentSpanId ?? '').toBe('');
    expect(collector.resource).toMatchObject({
      'service.name': 'flowers',
      'service.version': '0.0.0-test',
      'deployment.environment': 'test',
      team: 'a b',
    });
    expect(collector.headers).toMatchObject({ 'x-tenant': 'one' });
  });

  it('sends a span of every run, linked to the spans of the requests that shared it', async () => {
    await using collector = await startOtlpCollector();
    {
      await using server = await startReadyServer(exportTo(collector));
      await Promise.all(Array.from({ length: 40 }, () => postJson(server.address, '/iris/predict', flower)));
    }
    const requests = collector.spans.filter(({ kind }) => kind === 2);
    const runs = collector.spans.filter(({ name }) => name === 'run iris');
    expect(requests).toHaveLength(40);
    const linked = runs.flatMap(({ links = [] }) => links.map((link) => link.spanId));
    expect(linked.sort()).toEqual(requests.map(({ spanId }) => spanId).sort());
    for (const run of runs) {
      const { 'inferd.batch.rows': rows, 'inferd.batch.requests': count } = attributesOf(run);
      expect(run.links).toHaveLength(Number(count));
      expect(rows).toBe(count);
      const request = requests.find(({ spanId }) => spanId === run.links?.[0]?.spanId);
      expect(BigInt(run.startTimeUnixNano)).toBeGreaterThan(BigInt(request?.startTimeUnixNano ?? 0) - 1_000_000n);
      expect(BigInt(run.endTimeUnixNano)).toBeLessThan(BigInt(request?.endTimeUnixNano ?? 0) + 1_000_000n);
    }
  });

  it('sends a span of every step of a graph, below that of its request', async () => {
    await using collector = await startOtlpCollector();
    await using repository = await temporaryRepository('iris');
    const steps = [
      { name: 'first', model: 'iris' },
      { name: 'same', combine: 'vote', of: ['first.label'] },
    ];
    await writeGraph(repository.path, 'two-steps', { steps, outputs: { label: 'same.value' } });
    {
      await using server = await startReadyServer({ ...exportTo(collector), MODELS_DIR: repository.path });
      await postJson(server.address, '/models/two-steps/predict', { features: [[5.9, 3, 5.1, 1.8]] });
    }
    const [request] = collector.spans.filter(({ kind }) => kind === 2);
    const spans = collector.spans.filter(({ name }) => name.startsWith('step '));
    expect(spans.map(({ name }) => name).sort()).toEqual(['step first', 'step same']);
    for (const span of spans) {
      expect(span.parentSpanId).toBe(request?.spanId);
      expect(attributesOf(span)).toMatchObject({ 'inferd.graph.name': 'two-steps', 'inferd.step.outcome': 'ok' });
    }
    const first = spans.filter(({ name }) => name === 'step first').map(attributesOf);
    expect(first).toMatchObject([{ 'inferd.model.name': 'iris', 'inferd.model.version': '1' }]);
  });

  it('follows the sampler, and the decision of the client', async () => {
    await using collector = await startOtlpCollector();
    {
      await using server = await startReadyServer({ ...exportTo(collector), OTEL_TRACES_SAMPLER: 'always_off' });
      await postJson(server.address, '/iris/predict', flower);
      await using following = await startReadyServer(exportTo(collector));
      await postJson(following.address, '/iris/predict', flower, { traceparent: `00-${traceId}-${parentId}-00` });
    }
    expect(collector.spans).toEqual([]);
  });

  it('sends what GET /metrics has, by the names of the conventions', async () => {
    await using collector = await startOtlpCollector();
    await using server = await startReadyServer({ ...exportTo(collector), OTEL_TRACES_EXPORTER: 'none' });
    for (let i = 0; i < 3; i += 1) await postJson(server.address, '/iris/predict', flower);
    const durationOf = () =>
      collector.metrics
        .get('http.server.request.duration')
        ?.histogram?.dataPoints.find((point) => attributesOf(point)['http.route'] === '/iris/predict');
    await expect.poll(() => Number(durationOf()?.count)).toBe(3);
    const duration = durationOf();
    expect(attributesOf(duration ?? { attributes: [] })).toEqual({
      'http.request.method': 'POST',
      'http.route': '/iris/predict',
      'http.response.status_code': 200,
      'url.scheme': 'http',
    });
    expect(duration?.bucketCounts).toHaveLength((duration?.explicitBounds?.length ?? 0) + 1);
    expect(duration?.bucketCounts?.reduce<number>((sum, count) => sum + Number(count), 0)).toBe(3);

    const requests = collector.metrics.get('inferd_inference_requests_total');
    expect(requests?.sum?.isMonotonic).toBe(true);
    const answered = requests?.sum?.dataPoints.find((point) => attributesOf(point)['model'] === 'iris');
    expect(answered?.asDouble).toBe(3);
    expect(collector.metrics.get('inferd_ready')?.gauge?.dataPoints[0]?.asDouble).toBe(1);
    expect(collector.spans).toEqual([]);
  });

  it('neither slows nor stops a server whose collector is gone', async () => {
    const collector = await startOtlpCollector();
    await collector[Symbol.asyncDispose]();
    const server = await startReadyServer(exportTo(collector));
    expect(await postJson(server.address, '/iris/predict', flower)).toMatchObject({ status: 200 });
    await server.stop();
  });
});
