import { describe, expect, it } from 'vitest';
import { AppError } from '../src/errors.ts';
import { readSettings } from '../src/settings.ts';

describe('readSettings', () => {
  it('has the secrets that remote.json may name, and no others', () => {
    const environment = { REMOTE_SECRETS: 'TOKEN, GONE', TOKEN: 'a', OTHER: 'b' };
    expect([...readSettings(environment).remoteSecrets]).toEqual([
      ['TOKEN', 'a'],
      ['GONE', undefined],
    ]);
  });

  it('has a default for everything', () => {
    expect(readSettings({})).toEqual({
      faces: true,
      teiRoutes: false,
      host: '0.0.0.0',
      port: 8080,
      modelsDir: undefined,
      modelName: undefined,
      modelsUri: undefined,
      modelsCacheDir: './data/model-cache',
      watchModels: false,
      defaultModel: undefined,
      logLevel: 'info',
      allowModelUpload: false,
      allowCodeModels: false,
      logPredictions: { share: 0, inputs: false, redact: [] },
      bodyLimitBytes: 67_108_864,
      answerLimitBytes: 268_435_456,
      jsonLimitBytes: 16_777_216,
      compressionRatioLimit: 200,
      bodiesLimitBytes: 536_870_912,
      tableLimitCells: 4_194_304,
      outputLimitBytes: 268_435_456,
      cache: { memoryBytes: 67_108_864, redisTimeoutMs: 20 },
      grpcMaxStreams: 256,
      shadowMaxInFlight: 64,
      answerStallTimeoutMs: 60_000,
      requestTimeoutMs: 30_000,
      allowNoModels: false,
      metrics: true,
      tritonMetrics: false,
      drainDelayMs: 0,
      shutdownTimeoutMs: 30_000,
      openTelemetry: {
        tracesUrl: undefined,
        metricsUrl: undefined,
        headers: {},
        serviceName: 'inferd',
        resourceAttributes: {},
        sampler: 'parentbased_always_on',
        samplerRatio: 1,
        metricIntervalMs: 60_000,
        spanDelayMs: 5000,
      },
      vertex: { healthRoute: undefined, predictRoute: undefined },
      sagemakerMultiModel: false,
      uploadTimeoutMs: 120_000,
      s3: {
        endpoint: undefined,
        region: 'us-east-1',
        accessKeyId: undefined,
        secretAccessKey: undefined,
        sessionToken: undefined,
      },
      storage: true,
      databaseUrl: undefined,
      dataDir: './data',
      tasks: {
        concurrency: 32,
        leaseMs: 15_000,
        pollMs: 20_000,
        resultTtlSeconds: 86_400,
        maxResultBytes: 67_108_864,
        quota: {
          ofCaller: { tasks: 100_000, bytes: 2 * 1024 ** 3 },
          inAll: { tasks: 1_000_000, bytes: 10 * 1024 ** 3 },
        },
        webhooks: { secret: undefined, allowPrivate: false },
      },
      predictions: {
        share: 1,
        maxPerSecond: 200,
        redact: [],
        maxInstanceBytes: 65_536,
        keepDays: 30,
        maxBytes: 10_737_418_240,
      },
      apiKeys: [],
      apiKeysFile: undefined,
      docsPublic: true,
      rateLimitPerMinute: undefined,
      remoteSecrets: new Map(),
      maxConcurrentPerCaller: undefined,
      redisUrl: undefined,
      trustProxy: [],
      tlsCert: undefined,
      tlsKey: undefined,
      corsOrigins: [],
      maxConnections: undefined,
      maxHeaderBytes: 16_384,
      headersTimeoutMs: 15_000,
      keepAliveTimeoutMs: 75_000,
    });
  });

  it('has no port of gRPC unless it is given one', () => {
    expect(readSettings({}).grpcPort).toBeUndefined();
    expect(readSettings({ GRPC_PORT: '' }).grpcPort).toBeUndefined();
    expect(readSettings({ GRPC_PORT: '0' }).grpcPort).toBe(0);
    expect(() => readSettings({ GRPC_PORT: '1.5' })).toThrow(/GRPC_PORT.*"1.5"/);
    expect(() => readSettings({ GRPC_PORT: '70000' })).toThrow(/GRPC_PORT.*"70000"/);
  });

  it('knows where OpenTelemetry sends what', () => {
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };
    const urls = (environment: Record<string, string>) => {
      const { tracesUrl, metricsUrl } = readSettings(environment).openTelemetry;
      return [tracesUrl, metricsUrl];
    };
    const [traces, metrics] = ['http://collector:4318/v1/traces', 'http://collector:4318/v1/metrics'];
    expect(urls(base)).toEqual([traces, metrics]);
    expect(urls({ ...base, OTEL_METRICS_EXPORTER: 'none' })).toEqual([traces, undefined]);
    expect(urls({ ...base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://other/t' })).toEqual([
      'http://other/t',
      metrics,
    ]);
    expect(urls({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://other/m' })).toEqual([undefined, 'http://other/m']);
    expect(urls({ ...base, OTEL_SDK_DISABLED: 'true' })).toEqual([undefined, undefined]);
    expect(() => urls({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' })).toThrow(/OTEL_EXPORTER_OTLP_ENDPOINT/);
  });

  it('takes an empty value for an unset one', () => {
    expect(readSettings({ PORT: '', DEFAULT_MODEL: '' })).toMatchObject({ port: 8080, defaultModel: undefined });
  });

  it.each([
    ['1', true],
    ['true', true],
    ['0', false],
    ['false', false],
    ['', false],
  ])('reads the flag %j as %s', (value, expected) => {
    expect(readSettings({ WATCH_MODELS: value }).watchModels).toBe(expected);
  });

  it('refuses another word for a flag', () => {
    expect(() => readSettings({ WATCH_MODELS: 'maybe' })).toThrow(/WATCH_MODELS.*"maybe"/);
  });

  it('takes the port of the platform where PORT is unset', () => {
    expect(readSettings({ AIP_HTTP_PORT: '8081', SAGEMAKER_BIND_TO_PORT: '8082' }).port).toBe(8081);
    expect(readSettings({ SAGEMAKER_BIND_TO_PORT: '8082' }).port).toBe(8082);
    expect(readSettings({ PORT: '0', AIP_HTTP_PORT: '8081' }).port).toBe(0);
  });

  it('refuses a route that is no path', () => {
    expect(() => readSettings({ AIP_PREDICT_ROUTE: 'predict' })).toThrow(/AIP_PREDICT_ROUTE.*"predict"/);
  });

  it('reads what is set', () => {
    expect(readSettings({ PORT: '9000', LOG_LEVEL: 'warn' })).toMatchObject({ port: 9000, logLevel: 'warn' });
  });

  it('prefers the endpoint of S3 to the one of all services', () => {
    const environment = { AWS_ENDPOINT_URL: 'http://a:1', AWS_ENDPOINT_URL_S3: 'http://b:2' };
    expect(readSettings(environment).s3.endpoint).toBe('http://b:2');
    expect(readSettings({ AWS_ENDPOINT_URL: 'http://a:1' }).s3.endpoint).toBe('http://a:1');
  });

  it('names every bad value at once, with what was received', () => {
    const read = () => readSettings({ PORT: '70000', LOG_LEVEL: 'loud', REQUEST_TIMEOUT_MS: 'soon' });
    expect(read).toThrow(AppError);
    expect(read).toThrow(/PORT.*"70000".*LOG_LEVEL.*"loud".*REQUEST_TIMEOUT_MS.*"soon"/);
  });

  it('reads lists', () => {
    expect(readSettings({ CORS_ORIGINS: 'https://a.example, https://b.example,' }).corsOrigins).toEqual([
      'https://a.example',
      'https://b.example',
    ]);
  });

  it.each(['10.0.0.0/8', '::1', 'loopback', '192.0.2.1, fd00::/8', '1'])('takes the proxies %j', (value) => {
    expect(() => readSettings({ TRUST_PROXY: value })).not.toThrow();
  });

  it.each(['proxy.example', '10.0.0.0/33', 'loopback/8', '3'])('refuses the proxy %j', (value) => {
    expect(() => readSettings({ TRUST_PROXY: value })).toThrow(/TRUST_PROXY/);
  });

  it('needs certificate and key together', () => {
    expect(() => readSettings({ TLS_CERT: 'cert.pem' })).toThrow(/TLS_KEY/);
    expect(() => readSettings({ TLS_KEY: 'key.pem' })).toThrow(/TLS_CERT/);
  });

  it.each(['-1', '65536', '80.5', 'x'])('refuses the port %s', (port) => {
    expect(() => readSettings({ PORT: port })).toThrow(/PORT/);
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(readSettings({}))).toBe(true);
  });
});
