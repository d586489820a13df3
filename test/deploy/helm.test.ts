import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  PodMonitor,
  PrometheusRule,
  ServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { temporaryFolder } from '../helpers/folder.ts';
import { run, runToFailure } from './program.ts';

const chart = 'deploy/helm/inferd';
/** The oldest Kubernetes that the chart is for, and the newest that can be checked. */
const kubernetesVersions = ['1.28.0', '1.37.0'];

const everything = {
  models: { uri: 's3://bucket/prod', awsSecret: 'aws', watch: true, defaultModel: 'iris' },
  apiKeys: { existingSecret: 'keys' },
  database: { existingSecret: 'postgres', key: 'url' },
  tasks: { concurrency: 0 },
  worker: { enabled: true, replicaCount: 3, concurrency: 8, env: { LOG_PREDICTIONS: 0 } },
  tls: { existingSecret: 'certificate' },
  grpc: { enabled: true },
  env: { RATE_LIMIT_PER_MINUTE: 600, DOCS_PUBLIC: false },
  envFrom: [{ configMapRef: { name: 'more' } }],
  autoscaling: { enabled: true, targetQueueRows: 100 },
  networkPolicy: {
    ingressFrom: [{ podSelector: { matchLabels: { app: 'web' } } }],
    metricsFrom: [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }],
  },
  serviceMonitor: { enabled: true, labels: { release: 'p' }, bearerTokenSecret: { name: 'key', key: 'token' } },
  prometheusRule: { enabled: true, labels: { release: 'p' } },
  dashboard: { enabled: true },
  serviceAccount: { annotations: { role: 'reader' } },
  podAnnotations: { a: 'b' },
  podLabels: { c: 'd' },
  imagePullSecrets: [{ name: 'registry' }],
  nodeSelector: { disk: 'fast' },
  tolerations: [{ key: 'x', operator: 'Exists' }],
  affinity: { nodeAffinity: {} },
  priorityClassName: 'high',
  service: { annotations: { e: 'f' } },
};

const valueSets = {
  'nothing set': {},
  'everything set': everything,
  'models of a volume': {
    models: { existingClaim: 'models', subPath: 'prod' },
    podDisruptionBudget: { enabled: false },
  },
  'models of an image': { models: { image: 'registry.example.org/models:7' }, networkPolicy: { enabled: false } },
};

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: the schemas that the manifests are checked against say what is in it
  readonly spec: any;
}

/** What Helm makes of the chart with these values. */
async function render(values: object): Promise<{ text: string; manifests: Manifest[] }> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'values.yaml');
  await writeFile(path, stringify(values));
  const said = await run('helm', 'template', 'demo', chart, '--namespace', 'ml', '--values', path);
  // Helm remarks on the links in the chart, on its other output.
  const text = said
    .split('\n')
    .filter((line) => !line.includes('found symbolic link'))
    .join('\n');
  const documents = parseAllDocuments(text, { version: '1.1' });
  return { text, manifests: documents.map((document) => document.toJS()).filter((manifest) => manifest !== null) };
}

async function deploymentOf(values: object, name = 'demo-inferd') {
  const { manifests } = await render(values);
  const deployment = manifests.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name);
  const pod = deployment?.spec.template.spec;
  const [container] = pod.containers;
  const environment = Object.fromEntries(
    container.env.map((one: { name: string; value: string }) => [one.name, one.value]),
  );
  return { deployment, pod, container, environment };
}

describe('the Helm chart', () => {
  it('passes its own lint', async () => {
    expect(await run('helm', 'lint', '--strict', chart)).toContain('0 chart(s) failed');
  });

  it('has the version of the package', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    expect(parse(await readFile(`${chart}/Chart.yaml`, 'utf8')).appVersion).toBe(version);
  });

  describe.each(Object.entries(valueSets))('with %s', (_, values) => {
    it.each(kubernetesVersions)('fits the schema of Kubernetes %s', async (version) => {
      await using folder = await temporaryFolder();
      const path = join(folder.path, 'manifests.yaml');
      await writeFile(path, (await render(values)).text);
      const said = await run('kubernetes-validate', '--strict', '--kubernetes-version', version, path);
      expect(said).toContain('passed for resource deployment/demo-inferd');
      const unknown = said.split('\n').filter((line) => line.includes("Couldn't find schema"));
      expect(unknown.filter((line) => !/ServiceMonitor|PodMonitor|PrometheusRule/.test(line))).toEqual([]);
    });

    it('gives a pod no right that it does not need', async () => {
      const { pod } = await deploymentOf(values);
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      });
      for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.resources).toMatchObject({ requests: { memory: expect.any(String) } });
      }
    });

    it('mounts what is written to, and a /dev/shm in memory', async () => {
      const { pod, container } = await deploymentOf(values);
      const names = new Set(pod.volumes.map(({ name }: { name: string }) => name));
      for (const mount of container.volumeMounts) expect(names).toContain(mount.name);
      const writable = container.volumeMounts.filter((mount: { readOnly?: boolean }) => mount.readOnly !== true);
      expect(writable.map((mount: { mountPath: string }) => mount.mountPath)).toEqual(['/tmp', '/dev/shm', '/data']);
      expect(pod.volumes).toContainEqual({ name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '512Mi' } });
    });

    it('selects its own pods everywhere', async () => {
      const { manifests } = await render(values);
      const own = { 'app.kubernetes.io/name': 'inferd', 'app.kubernetes.io/instance': 'demo' };
      const deployment = manifests.find(({ kind }) => kind === 'Deployment');
      expect(deployment?.spec.selector.matchLabels).toEqual(own);
      expect(deployment?.spec.template.metadata.labels).toMatchObject(own);
      expect(manifests.find(({ kind }) => kind === 'Service')?.spec.selector).toEqual(own);
      const policy = manifests.find(({ kind }) => kind === 'NetworkPolicy');
      if (policy !== undefined) expect(policy.spec.podSelector.matchLabels).toEqual(own);
    });
  });

  it('has a monitor and rules that fit the schema of the Prometheus operator', async () => {
    const { manifests } = await render(everything);
    const monitor = manifests.find(({ kind }) => kind === 'ServiceMonitor');
    const rule = manifests.find(({ kind }) => kind === 'PrometheusRule');
    new ServiceMonitor(monitor as ConstructorParameters<typeof ServiceMonitor>[0]).validate();
    const podMonitor = manifests.find(({ kind }) => kind === 'PodMonitor');
    new PodMonitor(podMonitor as ConstructorParameters<typeof PodMonitor>[0]).validate();
    new PrometheusRule(rule as ConstructorParameters<typeof PrometheusRule>[0]).validate();
    expect(rule?.spec).toEqual(parse(await readFile('deploy/prometheus/alerts.yaml', 'utf8')));
    expect(() => new ServiceMonitor({ ...monitor, spec: { endpoints: 3 } } as never).validate()).toThrow();
  });

  it('gives a pod more time to end than it takes', async () => {
    const { pod, environment } = await deploymentOf({ shutdown: { drainDelayMs: 5500, timeoutMs: 60_000 } });
    expect(environment).toMatchObject({ DRAIN_DELAY_MS: '5500', SHUTDOWN_TIMEOUT_MS: '60000' });
    expect(pod.terminationGracePeriodSeconds).toBe(76);
  });

  it('asks for liveness without waiting for a model, and for readiness apart', async () => {
    const { container } = await deploymentOf({});
    expect(container.startupProbe.httpGet.path).toBe('/health/live');
    expect(container.livenessProbe.httpGet.path).toBe('/health/live');
    expect(container.readinessProbe.httpGet.path).toBe('/health/ready');
  });

  it('asks by TLS where there is a certificate', async () => {
    const { container, environment } = await deploymentOf(everything);
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      expect(container[probe].httpGet.scheme).toBe('HTTPS');
    }
    expect(environment).toMatchObject({
      TLS_CERT: '/etc/inferd/tls/tls.crt',
      API_KEYS_FILE: '/etc/inferd/keys/keys.json',
    });
  });

  it.each([
    [{ uri: 's3://bucket/prod' }, { MODELS_URI: 's3://bucket/prod' }],
    [{ existingClaim: 'models' }, { MODELS_DIR: '/mnt/models' }],
    [{ image: 'models:7' }, { MODELS_DIR: '/mnt/models' }],
  ])('serves the models of %j', async (models, expected) => {
    const { environment } = await deploymentOf({ models });
    expect(environment).toMatchObject(expected);
  });

  it('refuses models from two places', async () => {
    const args = ['template', 'demo', chart, '--set', 'models.uri=s3://a/b,models.existingClaim=c'];
    expect(await runToFailure('helm', ...args)).toContain('give one of uri, existingClaim and image');
  });

  it('passes numbers and flags as people write them', async () => {
    const { environment } = await deploymentOf({
      env: { BODY_LIMIT_BYTES: 67108864, LOG_PREDICTIONS: 0.25, WATCH_MODELS: true },
    });
    expect(environment).toMatchObject({ BODY_LIMIT_BYTES: '67108864', LOG_PREDICTIONS: '0.25', WATCH_MODELS: 'true' });
  });

  describe('with workers', () => {
    const own = { 'app.kubernetes.io/name': 'inferd-worker', 'app.kubernetes.io/instance': 'demo' };

    it('has pods for background tasks, with what the servers work on', async () => {
      const server = await deploymentOf(everything);
      const worker = await deploymentOf(everything, 'demo-inferd-worker');
      expect(worker.container).toMatchObject({ image: server.container.image, args: ['worker'] });
      expect(worker.deployment?.spec.replicas).toBe(3);
      const { TASK_CONCURRENCY, LOG_PREDICTIONS, DRAIN_DELAY_MS, ...shared } = worker.environment;
      expect({ TASK_CONCURRENCY, LOG_PREDICTIONS, DRAIN_DELAY_MS }).toEqual({
        TASK_CONCURRENCY: '8',
        LOG_PREDICTIONS: '0',
        DRAIN_DELAY_MS: '0',
      });
      expect(server.environment).toMatchObject({ ...shared, TASK_CONCURRENCY: '0' });
      const database = { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'postgres', key: 'url' } } };
      for (const { container } of [server, worker]) expect(container.env).toContainEqual(database);
      expect(worker.container.envFrom).toEqual(server.container.envFrom);
      expect(worker.pod.volumes).toEqual(server.pod.volumes);
      expect(worker.container.volumeMounts).toEqual(server.container.volumeMounts);
    });

    it('asks them for their health at the only port that they have', async () => {
      const { container } = await deploymentOf(everything, 'demo-inferd-worker');
      expect(container.ports).toEqual([{ name: 'http', containerPort: 8080, protocol: 'TCP' }]);
      expect(container.livenessProbe.httpGet).toEqual({ path: '/health/live', port: 'http', scheme: 'HTTPS' });
      expect(container.readinessProbe.httpGet).toEqual({ path: '/health/ready', port: 'http', scheme: 'HTTPS' });
    });

    it('lets them put their tasks back before they end', async () => {
      const values = { ...everything, shutdown: { drainDelayMs: 5500, timeoutMs: 60_000 } };
      const { pod, environment } = await deploymentOf(values, 'demo-inferd-worker');
      expect(environment).toMatchObject({ DRAIN_DELAY_MS: '0', SHUTDOWN_TIMEOUT_MS: '60000' });
      expect(pod.terminationGracePeriodSeconds).toBe(70);
    });

    it('sends them no requests', async () => {
      const { manifests } = await render(everything);
      const { deployment, pod } = await deploymentOf(everything, 'demo-inferd-worker');
      expect(deployment?.spec.selector.matchLabels).toEqual(own);
      expect(deployment?.spec.template.metadata.labels).toMatchObject(own);
      expect(pod.topologySpreadConstraints[0].labelSelector.matchLabels).toEqual(own);
      expect(manifests.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name)).toEqual([
        'demo-inferd',
      ]);
      const policy = manifests.find(({ kind, metadata }) => kind === 'NetworkPolicy' && /worker/.test(metadata.name));
      expect(policy?.spec.podSelector.matchLabels).toEqual(own);
      expect(policy?.spec.ingress).toEqual([
        {
          ports: [{ port: 'http', protocol: 'TCP' }],
          from: [...everything.networkPolicy.ingressFrom, ...everything.networkPolicy.metricsFrom],
        },
      ]);
    });

    it('is refused without the Postgres of the servers', async () => {
      const args = ['template', 'demo', chart, '--set', 'worker.enabled=true'];
      expect(await runToFailure('helm', ...args)).toContain('database.existingSecret');
    });
  });

  it.each([
    [{}, undefined],
    [{ tasks: { concurrency: 0 } }, '0'],
    [{ tasks: { concurrency: 0 }, env: { TASK_CONCURRENCY: 3 } }, '0'],
  ])('has servers do as many tasks as %j says', async (values, expected) => {
    const { environment } = await deploymentOf(values);
    expect(environment['TASK_CONCURRENCY']).toBe(expected);
  });

  it('leaves the number of pods to the autoscaler', async () => {
    const { manifests } = await render({ autoscaling: { enabled: true, targetQueueRows: 64 } });
    expect(manifests.find(({ kind }) => kind === 'Deployment')?.spec.replicas).toBeUndefined();
    const scaler = manifests.find(({ kind }) => kind === 'HorizontalPodAutoscaler');
    expect(scaler?.spec.metrics[1]).toEqual({
      type: 'Pods',
      pods: { metric: { name: 'inferd_queue_rows' }, target: { type: 'AverageValue', averageValue: '64' } },
    });
  });
});
