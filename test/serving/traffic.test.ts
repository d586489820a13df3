import { describe, expect, test } from 'vitest';
import { graphRepository } from './graph-repository.ts';

const by = (user: string) => ({ headers: { get: (name: string) => (name === 'x-user-id' ? user : undefined) } });
const split = (weights: object) => ({ traffic: { split: weights, stick: ['header:x-user-id'] } });
const users = Array.from({ length: 40 }, (_, index) => `user-${index}`);

/** What `factor` of the version that answered each user. */
async function factors(repository: Awaited<ReturnType<typeof graphRepository>>, model = 'a') {
  const answers = await Promise.all(users.map((user) => repository.ask(model, by(user))));
  return answers.map(([first]) => first);
}

describe('traffic that model.json splits', () => {
  test('loads the versions that it names, and sends each user to one of them, always the same', async () => {
    await using repository = await graphRepository();
    await repository.manifest('a', split({ 1: 50, 3: 50 }));
    for (const version of ['1', '2', '3']) await repository.model('a', version, { factor: Number(version) });
    await repository.sync();
    expect(repository.state('a')).toEqual(['3 READY', '1 READY']);
    const first = await factors(repository);
    expect(new Set(first)).toEqual(new Set([1, 3]));
    expect(await factors(repository)).toEqual(first);
  });

  test('leaves a version that is named to itself', async () => {
    await using repository = await graphRepository();
    await repository.manifest('a', split({ 1: 100 }));
    for (const version of ['1', '2']) await repository.model('a', version, { factor: Number(version) });
    await repository.sync();
    expect(new Set(await factors(repository))).toEqual(new Set([1]));
    const lease = repository.registry.acquire('a', '2');
    expect(lease).toMatchObject({ version: '2', routed: undefined });
    lease.release();
  });

  test('sends nobody to a version with another signature, and says so', async () => {
    await using repository = await graphRepository();
    const wide = [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 3] }];
    await repository.manifest('a', split({ 1: 50, 2: 50, 9: 1 }));
    await repository.model('a', '1', {
      signature: { inputs: wide, outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 3] }] },
    });
    await repository.model('a', '2');
    await repository.sync();
    expect(new Set(await factors(repository))).toEqual(new Set([2]));
    expect(repository.logged.map(({ fields }) => fields)).toContainEqual({
      model: 'a',
      idle: ['version 1 has other inputs or outputs than version 2', 'there is no version 9'],
    });
  });

  test('goes on with what is ready when a version is gone, and follows new weights', async () => {
    await using repository = await graphRepository();
    await repository.manifest('a', split({ 1: 50, 2: 50 }));
    for (const version of ['1', '2']) await repository.model('a', version, { factor: Number(version) });
    await repository.sync();
    const before = await factors(repository);
    await repository.manifest('a', split({ 1: 100, 2: 0 }));
    await repository.sync();
    expect(new Set(await factors(repository))).toEqual(new Set([1]));
    await repository.manifest('a', split({ 1: 50, 2: 50 }));
    await repository.sync();
    expect(await factors(repository)).toEqual(before);
  });

  test('is followed by graphs that name no version, by who asks them', async () => {
    await using repository = await graphRepository();
    await repository.manifest('a', split({ 1: 50, 2: 50 }));
    for (const version of ['1', '2']) await repository.model('a', version, { factor: Number(version) });
    await repository.graph('g', { steps: [{ name: 's', model: 'a' }] });
    await repository.sync();
    expect(await factors(repository, 'g')).toEqual(await factors(repository));
    expect(repository.registry.dependentsOn('a', '1')).toEqual(['g']);
  });
});
