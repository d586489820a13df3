import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { alertQueries, panelQueries, seriesNames } from './deploy/queries.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

const documented = new Set([...read('docs/metrics.md').matchAll(/^\| `([a-z0-9_]+)`/gm)].map(([, name]) => name));

describe('the dashboard and the alerts', () => {
  it.each([...panelQueries(), ...alertQueries()])('ask only for documented metrics: $name', ({ query }) => {
    const names = seriesNames(query).map((name) => name.replace(/_(bucket|sum|count)$/, ''));
    const unknown = names.filter((name) => !documented.has(name));
    expect(unknown.filter((name) => name !== 'up')).toEqual([]);
  });

  it('have a word in docs/operations.md for every alert', () => {
    const operations = read('docs/operations.md');
    const missing = alertQueries().filter(({ name }) => !operations.includes(`\`${name}\``));
    expect(missing).toEqual([]);
  });
});

describe('deploy/', () => {
  const known = new Set([...read('.env.example').matchAll(/^([A-Z0-9_]+)=/gm)].map(([, name]) => name));
  const compose = parse(read('deploy/compose.yaml'), { merge: true });
  const kserve = parse(read('deploy/kserve/serving-runtime.yaml'));
  const chart = read('deploy/helm/inferd/templates/_pod.tpl');
  const used = {
    'compose.yaml': Object.keys(compose.services.inferd.environment),
    'kserve/serving-runtime.yaml': kserve.spec.containers[0].env.map(({ name }: { name: string }) => name),
    'helm/inferd': [...chart.matchAll(/(?:name: |set \$env ")([A-Z0-9_]+)(?:, value:|")/g)].map(([, name]) => name),
  };

  it.each(Object.entries(used))('sets in %s only what is a setting', (_, names: string[]) => {
    expect(names.length).toBeGreaterThan(4);
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('deploy/compose.yaml', () => {
  const { services } = parse(read('deploy/compose.yaml'), { merge: true });

  it.each(Object.entries<Record<string, unknown>>(services))(
    'runs %s without rights, pinned and watched',
    (_, service) => {
      expect(service['image']).toMatch(/:v?\d+\.\d+(\.\d+)?[a-z0-9.-]*$/);
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], healthcheck: { test: expect.any(Array) } });
      expect(service['user']).toMatch(/^[1-9]\d*:\d+$/);
    },
  );

  it('opens ports to this machine alone', () => {
    const ports = Object.values<{ ports?: string[] }>(services).flatMap((service) => service.ports ?? []);
    expect(ports).toHaveLength(3);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('builds the version of the package', () => {
    expect(services.inferd.image).toBe(`inferd:${JSON.parse(read('package.json')).version}`);
  });
});

describe('the Dockerfile', () => {
  it('copies only what .dockerignore lets through', () => {
    const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) =>
      sources.split(' '),
    );
    const passed = new Set([...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name]) => name));
    expect(copied.length).toBeGreaterThan(5);
    expect(copied.filter((name) => !passed.has(name))).toEqual([]);
  });
});
