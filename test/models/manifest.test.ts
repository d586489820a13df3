import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultManifest, parseManifest } from '../../src/models/manifest.ts';

const parse = (value: unknown) => parseManifest('m/model.json', JSON.stringify(value));

describe('model.json', () => {
  it('may be empty', () => {
    expect(parse({})).toEqual(defaultManifest());
  });

  it('keeps what it says and completes the rest', () => {
    const manifest = parse({ description: 'd', labels: { label: ['a', 'b'] }, batching: { maxSize: 8 } });
    expect(manifest).toMatchObject({ description: 'd', labels: { label: ['a', 'b'] } });
    expect(manifest.batching).toEqual({ ...defaultManifest().batching, maxRequestRows: 8, maxSize: 8 });
  });

  it.each([
    [{ instnaces: 2 }, 'instnaces'],
    [{ batching: { maxsize: 8 } }, 'batching.*maxsize'],
    [{ instances: 0 }, 'instances'],
    [{ versionPolicy: 'newest' }, 'versionPolicy'],
    [{ timeoutMs: 1.5 }, 'timeoutMs'],
    [[], 'm/model.json'],
  ])('refuses %j and names what is wrong', (value, named) => {
    expect(() => parse(value)).toThrow(new RegExp(named));
  });

  it('names every wrong key at once', () => {
    expect(() => parse({ instances: 0, timeoutMs: -1, colour: 'red' })).toThrow(/instances.*timeoutMs.*colour/s);
  });

  it('says where the text stops being JSON', () => {
    expect(() => parseManifest('m/model.json', '{"description": ')).toThrow(/m\/model\.json is not valid JSON/);
  });

  it.each(
    readdirSync(new URL('../../models', import.meta.url), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name),
  )('of the shipped model %s is valid and complete', (name) => {
    const text = readFileSync(new URL(`../../models/${name}/model.json`, import.meta.url), 'utf8');
    const { description, metadata } = parseManifest(name, text);
    expect(description).toBeDefined();
    expect(metadata).toMatchObject({ trainedOn: expect.any(String), score: expect.any(Object) });
  });
});

describe('a key of several forms', () => {
  it.each([
    [{ batching: { enabled: 'yes' } }, 'batching.enabled: expected "auto", true or false'],
    [
      { session: { intraOpThreads: 'many' } },
      'session.intraOpThreads: expected "auto" or a whole number from 1 to 1024',
    ],
    [{ session: { providers: [1] } }, 'session.providers.0: expected the name of an execution provider'],
    [{ versionPolicy: 'newest' }, 'versionPolicy: expected {"latest": 1 to 1000}, {"specific": [version, …]} or "all"'],
    [{ versionLabels: { stable: true } }, 'versionLabels.stable: expected a whole number from 1 up'],
  ])('that is wrong in %j says which it may have', (manifest, message) => {
    expect(() => parseManifest('model.json', JSON.stringify(manifest))).toThrow(message);
  });
});
