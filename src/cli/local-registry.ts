import { graphDependencies } from '../graphs.ts';
import { loadModel, type ModelOptions } from '../inference/model.ts';
import { createAssemble } from '../models/assemble.ts';
import { membersOf } from '../models/registry/registered-model.ts';
import { Registry } from '../models/registry/registry.ts';
import type { ModelFolder } from '../models/repository/repository.ts';
import type { OpenFace } from '../models/version-face.ts';
import { ServedCounters } from '../served/served-counters.ts';
import { readRemoteSecrets } from '../settings/remote.ts';
import { systemClock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import { readEnvironment } from './environment.ts';

export const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };

export interface LocalRegistryOptions {
  /** @default no version has a face */
  readonly openFace?: OpenFace;
  /** What is loaded in place of what the manifest says. @default the same */
  readonly adapt?: (options: ModelOptions) => ModelOptions;
}

/** A registry of the models that this process runs for itself; to be closed. */
export function openLocalRegistry({ openFace, adapt = (options) => options }: LocalRegistryOptions = {}): Registry {
  return new Registry({
    assemble: createAssemble({
      allowCodeModels: readEnvironment()['ALLOW_CODE_MODELS'] === '1',
      loadModel: (options, signal, spawn) =>
        loadModel(adapt(options), { clock: systemClock, log: silent, signal, spawn }),
      openFace,
      graphs: graphDependencies({ counters: new ServedCounters(), clock: systemClock }),
      remotes: {
        secrets: readRemoteSecrets(readEnvironment()),
        maxOutputBytes: Number.POSITIVE_INFINITY,
        clock: systemClock,
        log: silent,
      },
      log: silent,
    }),
    now: () => systemClock.now(),
    log: silent,
  });
}

/** The model, and those that it is made of, as far as they are there. */
export function withMembers(folders: readonly ModelFolder[], name: string): readonly ModelFolder[] {
  const byName = new Map(folders.map((folder) => [folder.name, folder]));
  const found = new Set<ModelFolder>();
  const visit = (wanted: string): void => {
    const folder = byName.get(wanted);
    if (folder === undefined || found.has(folder)) return;
    found.add(folder);
    for (const member of membersOf(folder)) visit(member);
  };
  visit(name);
  return [...found];
}
