import { z } from 'zod';
import { type AppError, hideFolders, toAppError } from '../../errors.ts';
import type { LoadedVersion } from '../../models/registry/loaded-version.ts';
import type { RegisteredModel } from '../../models/registry/registered-model.ts';
import { scanRepository } from '../../models/repository/repository.ts';
import { defineCommand } from '../arguments/command.ts';
import { openLocalRegistry } from '../local-registry.ts';

/** Validates a model repository without a server. */
export const checkCommand = defineCommand({
  name: 'check',
  synopsis: '<folder>',
  about: `Loads every model of a repository, as a server would, and prints a line for each version: what it is made of and
whether it is ready. Every fault is named, those of a graph all at once. The exit code is 1 where there is one. That another
server is away, which has a model of the repository, is a warning.`,
  options: z.object({}),
  operands: z.tuple([z.string()], 'Expected the folder of a model repository'),
  async run(_values, [folder]) {
    try {
      return await checkRepository(folder);
    } catch (thrown) {
      process.stderr.write(`inferd check: ${toAppError(thrown).message}\n`);
      return 1;
    }
  },
});

async function checkRepository(folder: string): Promise<number> {
  const ignored: string[] = [];
  const folders = await scanRepository(folder, { onIgnored: (names) => ignored.push(...names) });
  const registry = openLocalRegistry({ adapt: (options) => ({ ...options, instances: 1 }) });
  try {
    await registry.sync(folders);
    const models = registry.list();
    for (const name of ignored) process.stderr.write(`${name}: no model\n`);
    const faults = models.flatMap((model) => report(model));
    process.stderr.write(`${models.length} models, ${faults.length} faults\n`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await registry.close();
  }
}

/** Prints the versions of a model; gives its faults. */
function report({ name, versions, error }: RegisteredModel): readonly string[] {
  if (error !== undefined) return printFaults(name, faultsOf(error));
  return versions.flatMap((loaded) => {
    const { version, kind, state } = loaded;
    if (state === 'READY') {
      process.stdout.write(`${name} ${version} ${kind}: ready\n`);
      return [];
    }
    const reasons = reasonsOf(loaded);
    if (!loaded.isDownElsewhere) return printFaults(`${name} ${version} ${kind}`, reasons);
    for (const reason of reasons) process.stdout.write(`${name} ${version} ${kind}: warning: ${reason}\n`);
    return [];
  });
}

function reasonsOf({ error, reason }: LoadedVersion): readonly string[] {
  return error === undefined ? [reason ?? 'it is not ready'] : faultsOf(error);
}

function faultsOf({ faults, message }: AppError): readonly string[] {
  return faults.length === 0 ? [hideFolders(message)] : faults.map((fault) => fault.message);
}

function printFaults(what: string, faults: readonly string[]): readonly string[] {
  for (const fault of faults) process.stdout.write(`${what}: ${fault}\n`);
  return faults;
}
