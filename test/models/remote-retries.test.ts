import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import type { LoadedVersion } from '../../src/models/registry/loaded-version.ts';
import type { RegisteredModel } from '../../src/models/registry/registered-model.ts';
import { RemoteRetries } from '../../src/models/remote-retries.ts';
import { VirtualClock } from '../virtual-clock.ts';

const away = new AppError('REMOTE_UNREACHABLE', { message: 'away' });

function model(name: string, kind: string, error: AppError | undefined): RegisteredModel {
  const version: Partial<LoadedVersion> = { kind, ...(error !== undefined && { error }) };
  return { name, versions: [version as LoadedVersion], served: undefined, error: undefined, traffic: undefined };
}

/** A registry whose loads all fail, or all succeed. */
function fakeRegistry(clock: VirtualClock, models: RegisteredModel[]) {
  const loads: [string, number][] = [];
  let changed = () => {};
  return {
    loads,
    models,
    changed: () => changed(),
    list: () => models,
    onChange: (listener: () => void) => {
      changed = listener;
    },
    loadAgain: async (name: string) => {
      loads.push([name, clock.now()]);
      changed();
    },
  };
}

const log = { error: () => {} };

describe('models that another server is needed for', () => {
  it('are loaded again after a second, then less and less often', async () => {
    const clock = new VirtualClock();
    const registry = fakeRegistry(clock, [model('far', 'remote', away), model('near', 'onnx', away)]);
    await using _retries = new RemoteRetries({ registry, clock, log });
    registry.changed();
    await clock.advance(60_000);
    expect(registry.loads.map(([name]) => name)).toEqual(new Array(registry.loads.length).fill('far'));
    const times = registry.loads.map(([, ms]) => ms);
    expect(times.slice(0, 4)).toEqual([1000, 3000, 7000, 15_000]);
    expect(times.slice(4).every((ms, index) => ms - (times[index + 3] ?? 0) === 10_000)).toBe(true);
  });

  it('are left alone once they are loaded, or when nothing elsewhere is at fault', async () => {
    const clock = new VirtualClock();
    const wrong = new AppError('REMOTE_INVALID', { message: 'wrong' });
    const registry = fakeRegistry(clock, [model('far', 'remote', away), model('wrong', 'remote', wrong)]);
    await using _retries = new RemoteRetries({ registry, clock, log });
    registry.changed();
    await clock.advance(1000);
    registry.models[0] = model('far', 'remote', undefined);
    registry.changed();
    await clock.advance(60_000);
    expect(registry.loads).toEqual([['far', 1000]]);
  });
});
