import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { graphRepository } from './graph-repository.ts';

const doubled = [2, 4, 6, 8];
/** Asks the model named `a`. */
const ofOne = { steps: [{ name: 'one', model: 'a' }] };
/** Asks `a`, then `b` with what it gave. */
const ofTwo = {
  steps: [
    { name: 'first', model: 'a' },
    { name: 'second', model: 'b', in: { x: 'first.y' } },
  ],
};
const otherSignature = {
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 3] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 3] }],
};

describe('a graph in a model repository', () => {
  test('is loaded with its members, whatever their names, and answers', async () => {
    await using repository = await graphRepository();
    await repository.graph('aaa', ofTwo);
    await repository.model('a', '1');
    await repository.model('b', '1', { factor: 10 });
    await repository.sync();
    expect(repository.state('aaa')).toEqual(['1 READY']);
    expect(await repository.ask('aaa')).toEqual([20, 40, 60, 80]);
    expect(repository.readiness.check().problems).toEqual([{ reason: 'the server is starting' }]);
  });

  test('counts its steps as requests of its members in the statistics', async () => {
    await using repository = await graphRepository();
    await repository.graph('g', ofTwo);
    await repository.model('a', '1');
    await repository.model('b', '1');
    await repository.sync();
    await repository.ask('g');
    for (const model of ['g', 'a', 'b']) {
      expect(repository.statistics.of(model, '1').success.count, model).toBe(1);
    }
  });

  test('names every member that is missing, with 503, and answers when they are there', async () => {
    await using repository = await graphRepository();
    await repository.graph('g', ofTwo);
    await repository.model('b', '1', { fails: new AppError('MODEL_LOAD_FAILED', { message: 'b is broken' }) });
    await repository.sync();
    await expect(repository.ask('g')).rejects.toMatchObject({
      code: 'MODEL_NOT_READY',
      message: expect.stringMatching(/a \(there is no such model\), b \(b is broken\)/),
    });
    await repository.model('a', '1');
    await repository.model('b', '2');
    await repository.sync();
    await repository.until(() => repository.registry.find('g')?.served !== undefined);
    expect(await repository.ask('g')).toEqual([4, 8, 12, 16]);
  });

  test('names with a member that is missing what else is wrong, and nothing that this hides', async () => {
    await using repository = await graphRepository();
    await repository.model('a', '1');
    const waiting = [
      { name: 'one', model: 'missing' },
      { name: 'two', model: 'a', in: { x: 'one.y' } },
    ];
    await repository.graph('g', { steps: waiting });
    await repository.graph('wrong', { steps: [...waiting, { name: 'three', model: 'a', in: { z: 'two.y' } }] });
    await repository.sync();
    const errorOf = (name: string) => repository.registry.find(name)?.versions[0]?.error;
    expect(errorOf('g')).toMatchObject({ code: 'MODEL_NOT_READY', faults: [] });
    expect(errorOf('wrong')?.code).toBe('GRAPH_INVALID');
    expect(errorOf('wrong')?.faults.map(({ location }) => location.join('.'))).toEqual([
      'steps.0.model',
      'steps.2.in.z',
    ]);
  });

  test('is UNAVAILABLE with every fault of its file', async () => {
    await using repository = await graphRepository();
    await repository.graph('g', {
      steps: [
        { name: 'one', model: 'a', inn: {} },
        { name: 'one', combine: 'means' },
      ],
    });
    await repository.sync();
    const error = repository.registry.find('g')?.versions[0]?.error;
    expect(error?.code).toBe('GRAPH_INVALID');
    expect(error?.message).toMatch(/steps\.0\.inn.*steps\.1\.combine/s);
  });

  test('of graphs in a circle is refused with the path', async () => {
    await using repository = await graphRepository();
    await repository.graph('one', { steps: [{ name: 's', model: 'two' }] });
    await repository.graph('two', { steps: [{ name: 's', model: 'three' }] });
    await repository.graph('three', { steps: [{ name: 's', model: 'one' }] });
    await repository.sync();
    const messages = ['one', 'two', 'three'].map((name) => repository.registry.find(name)?.error?.message ?? '');
    expect(
      messages.some(
        (message) => message.includes('one → three → two → one') || message.includes('one → two → three → one'),
      ),
    ).toBe(true);
    await expect(repository.ask('one')).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
  });

  test('that closes a circle through what is loaded is refused with the path, and all others serve on', async () => {
    await using repository = await graphRepository();
    const over = (model: string) => ({ steps: [{ name: 's', model }] });
    await repository.model('a', '1');
    for (const [name, member] of [
      ['one', 'a'],
      ['two', 'one'],
      ['three', 'two'],
    ] as const) {
      await repository.graph(name, over(member));
    }
    await repository.sync();
    expect(await repository.ask('three')).toEqual(doubled);
    for (const member of ['one', 'two', 'three']) {
      await repository.graph('one', over(member));
      await expect(repository.control.load('one')).rejects.toMatchObject({
        code: 'MODEL_LOAD_FAILED',
        message: expect.stringMatching(new RegExp(`one → ${member} → .*one|one → one`)),
      });
      expect(repository.readiness.check().problems).toEqual([{ reason: 'the server is starting' }]);
      expect(await repository.ask('three')).toEqual(doubled);
    }
  });

  test('stands on graphs 8 deep, and no deeper', async () => {
    await using repository = await graphRepository();
    await repository.model('a', '1', { factor: 1 });
    await repository.graph('g1', ofOne);
    for (let depth = 2; depth <= 9; depth += 1) {
      await repository.graph(`g${depth}`, { steps: [{ name: 's', model: `g${depth - 1}` }] });
    }
    await repository.sync();
    expect(await repository.ask('g8')).toEqual([1, 2, 3, 4]);
    expect(repository.registry.find('g9')?.versions[0]?.error?.message).toMatch(/9 deep; expected at most 8/);
  });

  test('refuses a version that is made of two files', async () => {
    await using repository = await graphRepository();
    await repository.model('g', '1');
    await repository.graph('g', ofOne);
    await repository.sync();
    expect(repository.registry.find('g')?.error?.message).toMatch(/model\.onnx and graph\.json/);
  });
});

describe('versions of members', () => {
  test('that graphs name are loaded beside those of the policy, and answer only there', async () => {
    await using repository = await graphRepository();
    await repository.manifest('a', { versionLabels: { old: 1 } });
    for (const version of ['1', '2', '3']) await repository.model('a', version, { factor: Number(version) });
    await repository.graph('by-label', { steps: [{ name: 's', model: 'a@old' }] });
    await repository.graph('by-number', { steps: [{ name: 's', model: 'a:2' }] });
    await repository.sync();
    expect(repository.state('a')).toEqual(['3 READY', '2 READY', '1 READY']);
    expect(await repository.ask('a')).toEqual([3, 6, 9, 12]);
    expect(await repository.ask('by-label')).toEqual([1, 2, 3, 4]);
    expect(await repository.ask('by-number')).toEqual(doubled);
  });

  test('that a graph names are loaded with it, also on request and for one that is uploaded', async () => {
    await using repository = await graphRepository();
    for (const version of ['1', '2', '3']) await repository.model('a', version, { factor: Number(version) });
    await repository.sync();
    expect(repository.state('a')).toEqual(['3 READY']);
    await repository.graph('g', { steps: [{ name: 's', model: 'a@1' }] });
    await repository.control.load('g');
    expect(await repository.ask('g')).toEqual([1, 2, 3, 4]);
    const uploaded = Buffer.from(JSON.stringify({ steps: [{ name: 's', model: 'a@2' }] }));
    await repository.control.load('up', { config: '{}', files: new Map([['1/graph.json', uploaded]]) });
    expect(await repository.ask('up')).toEqual(doubled);
    expect(await repository.ask('a')).toEqual([3, 6, 9, 12]);
    await repository.control.unload('up');
  });

  test('that fit are used from the next request on, and those before are unloaded', async () => {
    await using repository = await graphRepository();
    await repository.graph('g', ofOne);
    await repository.model('a', '1', { factor: 1 });
    await repository.sync();
    expect(await repository.ask('g')).toEqual([1, 2, 3, 4]);
    await repository.model('a', '2');
    await repository.sync();
    await repository.until(() => repository.state('a')?.length === 1);
    expect(repository.state('a')).toEqual(['2 READY']);
    expect(await repository.ask('g')).toEqual(doubled);
  });

  test('that do not fit leave the graph where it is, stale, and its version stays loaded', async () => {
    await using repository = await graphRepository();
    await repository.graph('g', ofOne);
    await repository.model('a', '1', { factor: 1 });
    await repository.sync();
    await repository.model('a', '2', { signature: otherSignature });
    await repository.sync();
    const stale = () => repository.registry.find('g')?.served?.binding?.stale;
    await repository.until(() => stale() !== undefined);
    expect(stale()?.message).toMatch(/inputs\.x is FP32 \[-1,2\], and would be FP32 \[-1,3\]; outputs\.y is/);
    expect(repository.state('a')).toEqual(['2 READY', '1 READY']);
    expect(repository.registry.dependentsOn('a', '1')).toEqual(['g']);
    expect(await repository.ask('g')).toEqual([1, 2, 3, 4]);
    expect(repository.state('g')).toEqual(['1 READY']);

    await repository.model('a', '3', { factor: 5 });
    await repository.sync();
    await repository.until(() => repository.state('a')?.length === 1);
    expect(stale()).toBeUndefined();
    expect(await repository.ask('g')).toEqual([5, 10, 15, 20]);
  });

  test('that the policy goes back to are used, and those before are unloaded', async () => {
    await using repository = await graphRepository();
    await repository.graph('g', ofOne);
    await repository.model('a', '1', { factor: 1 });
    await repository.model('a', '2', { factor: 3 });
    await repository.sync();
    expect(await repository.ask('g')).toEqual([3, 6, 9, 12]);
    await repository.manifest('a', { versionPolicy: { specific: [1] } });
    await repository.sync();
    expect(repository.registry.find('a')?.served?.version).toBe('1');
    await repository.until(() => repository.state('a')?.length === 1);
    expect(await repository.ask('a')).toEqual([1, 2, 3, 4]);
    expect(await repository.ask('g')).toEqual([1, 2, 3, 4]);
  });

  test('that a stale graph keeps do not answer for the member', async () => {
    await using repository = await graphRepository();
    await repository.manifest('a', { versionPolicy: { specific: [2] } });
    await repository.graph('g', ofOne);
    await repository.model('a', '1', {
      signature: { ...otherSignature, inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }] },
      factor: 7,
    });
    await repository.model('a', '2', { factor: 1 });
    await repository.sync();
    expect(await repository.ask('g')).toEqual([1, 2, 3, 4]);
    await repository.manifest('a', { versionPolicy: { specific: [1] } });
    await repository.sync();
    expect(repository.registry.find('a')?.served?.version).toBe('1');
    await repository.until(() => repository.registry.find('g')?.served?.binding?.stale !== undefined);
    expect(await repository.ask('a')).toEqual([7, 14, 21, 28]);
    expect(await repository.ask('g')).toEqual([1, 2, 3, 4]);
  });

  test('may be loaded anew under load: no request fails', async () => {
    await using repository = await graphRepository();
    await repository.graph('g', ofOne);
    await repository.model('a', '1');
    await repository.sync();
    for (let round = 0; round < 20; round += 1) {
      const asked = Array.from({ length: 10 }, () => repository.ask('g'));
      await repository.control.load('a');
      for (const answer of await Promise.all(asked)) expect(answer).toEqual(doubled);
      expect(await repository.ask('g')).toEqual(doubled);
    }
  });

  test('give the graph their class names, also when these change', async () => {
    await using repository = await graphRepository();
    const manifest = (...y: string[]) => repository.manifest('a', { labels: { y } });
    const labels = (name: string) => repository.registry.find(name)?.served?.manifest.labels['y'];
    await repository.graph('g', ofOne);
    await repository.graph('above', { steps: [{ name: 's', model: 'g' }] });
    await repository.model('a', '1');
    await manifest('cat', 'dog');
    await repository.sync();
    expect(labels('above')).toEqual(['cat', 'dog']);
    await manifest('dog', 'cat');
    await repository.sync();
    await repository.until(() => labels('above')?.[0] === 'dog');
    expect(labels('g')).toEqual(['dog', 'cat']);
    expect(await repository.ask('above')).toEqual(doubled);
  });

  test('may have outputs with names that every object has', async () => {
    await using repository = await graphRepository();
    const outputs = [{ name: 'constructor', datatype: 'FP32' as const, shape: [-1, 2] }];
    await repository.graph('g', ofOne);
    await repository.model('a', '1', { signature: { ...otherSignature, outputs } });
    await repository.sync();
    expect(repository.state('g')).toEqual(['1 READY']);
    expect(repository.registry.find('g')?.served?.manifest.labels).toEqual({});
  });

  test('that are gone make the graph UNAVAILABLE until they are back', async () => {
    await using repository = await graphRepository();
    await repository.graph('g', ofOne);
    await repository.model('a', '1');
    await repository.sync();
    await repository.registry.unload('a');
    expect(repository.state('g')).toEqual(['1 UNAVAILABLE']);
    await expect(repository.ask('g')).rejects.toMatchObject({
      code: 'MODEL_NOT_READY',
      message: expect.stringContaining('a'),
    });
    await repository.sync();
    expect(repository.state('g')).toEqual(['1 READY']);
    expect(await repository.ask('g')).toEqual(doubled);
  });
});

describe('unloading', () => {
  test('a model that a graph is made of is refused, and names the graph', async () => {
    await using repository = await graphRepository();
    await repository.graph('g', ofOne);
    await repository.model('a', '1');
    await repository.sync();
    await expect(repository.control.unload('a')).rejects.toMatchObject({ code: 'MODEL_IN_USE', expected: ['g'] });
    expect(await repository.ask('g')).toEqual(doubled);
  });

  test('a graph with its members leaves those that others are made of', async () => {
    await using repository = await graphRepository();
    await repository.graph('both', ofTwo);
    await repository.graph('one', ofOne);
    await repository.model('a', '1');
    await repository.model('b', '1');
    await repository.sync();
    await repository.control.unload('both', { withMembers: true });
    expect(repository.registry.list().map(({ name }) => name)).toEqual(['a', 'one']);
  });
});

describe('a model that is internal', () => {
  test('is asked by graphs, and by keys with the scope admin alone', async () => {
    await using repository = await graphRepository();
    await repository.graph('g', ofOne);
    await repository.manifest('a', { internal: true });
    await repository.model('a', '1');
    await repository.sync();
    const key = (scope: string) => ({ caller: { id: '1', name: 'key', scopes: new Set([scope]) } });
    await expect(repository.ask('a', key('infer'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await repository.ask('a', key('admin'))).toEqual(doubled);
    expect(await repository.ask('g', key('infer'))).toEqual(doubled);
  });
});
