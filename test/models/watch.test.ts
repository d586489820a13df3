import { describe, expect, it } from 'vitest';
import { defaultManifest } from '../../src/models/manifest.ts';
import type { ModelFolder } from '../../src/models/repository/repository.ts';
import { RepositoryWatcher } from '../../src/models/repository/watch.ts';
import { VirtualClock } from '../virtual-clock.ts';

function model(name: string, fingerprint: string, version = '1'): ModelFolder {
  return {
    name,
    manifest: defaultManifest(),
    versions: [{ kind: 'onnx', version, path: `/${name}`, root: '/', folders: [], fingerprint }],
  };
}

/** A watcher over a list of models that the test changes; it writes down what it asks of the registry. */
function watch(initial: ModelFolder[]) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const warnings: string[] = [];
  const disk = { models: initial, error: undefined as Error | undefined };
  const registry = {
    syncModel: async (folder: ModelFolder) => {
      asked.push(`sync ${folder.name}${'versions' in folder ? ` ${folder.versions[0]?.fingerprint}` : ''}`);
      return [];
    },
    unload: async (name: string) => {
      asked.push(`unload ${name}`);
    },
  };
  const scan = async () => {
    if (disk.error !== undefined) throw disk.error;
    return disk.models;
  };
  const log = { warn: (_details: object, message: string) => warnings.push(message) };
  const watcher = new RepositoryWatcher({ scan, registry, clock, log, intervalMs: 1000 }, initial);
  return { clock, asked, warnings, disk, watcher };
}

describe('the watcher of the model repository', () => {
  it('asks for nothing while nothing changes', async () => {
    const { clock, asked } = watch([model('a', '1')]);
    await clock.advance(10_000);
    expect(asked).toEqual([]);
  });

  it('loads a new model when it has been the same in two looks', async () => {
    const { clock, asked, disk } = watch([model('a', '1')]);
    disk.models = [model('a', '1'), model('b', 'x')];
    await clock.advance(1000);
    expect(asked).toEqual([]);
    await clock.advance(1000);
    expect(asked).toEqual(['sync b x']);
    await clock.advance(10_000);
    expect(asked).toEqual(['sync b x']);
  });

  it('leaves a file alone that is still growing', async () => {
    const { clock, asked, disk } = watch([]);
    for (const size of ['1', '2', '3', '4']) {
      disk.models = [model('a', size)];
      await clock.advance(1000);
    }
    expect(asked).toEqual([]);
    await clock.advance(1000);
    expect(asked).toEqual(['sync a 4']);
  });

  it('reloads a changed model, and unloads one that is gone', async () => {
    const { clock, asked, disk } = watch([model('a', '1'), model('b', '1')]);
    disk.models = [model('a', '2')];
    await clock.advance(2000);
    expect(asked.toSorted()).toEqual(['sync a 2', 'unload b']);
  });

  it('does not take a short absence for an end', async () => {
    const { clock, asked, disk } = watch([model('a', '1')]);
    disk.models = [];
    await clock.advance(1000);
    disk.models = [model('a', '1')];
    await clock.advance(5000);
    expect(asked).toEqual([]);
  });

  it('outlives a folder that cannot be read', async () => {
    const { clock, asked, warnings, disk } = watch([model('a', '1')]);
    disk.error = new Error('gone');
    await clock.advance(2000);
    expect(warnings).toHaveLength(2);
    disk.error = undefined;
    disk.models = [model('a', '2')];
    await clock.advance(2000);
    expect(asked).toEqual(['sync a 2']);
  });

  it('looks no more once it is stopped', async () => {
    const { clock, asked, disk, watcher } = watch([model('a', '1')]);
    await watcher.stop();
    disk.models = [model('a', '2')];
    await clock.advance(10_000);
    expect(asked).toEqual([]);
  });
});
