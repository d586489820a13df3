import { setImmediate as turn } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';
import type { Role } from '../app.ts';
import type { ServeOptions, ServerProgram } from './server-program.ts';

/**
 * Serves the model repository until a signal ends the process, which may be while the program is still being loaded: so
 * this file imports nothing of it.
 *
 * @param args those behind the name of the command
 * @param role what the process is for
 * @returns the exit code where nothing is served; undefined while the process lives on
 * @throws AppError `SETTINGS_INVALID` with every bad setting named, `DOMAIN_INVALID` when the module has none
 */
export async function serve(args: readonly string[], role: Role): Promise<number | undefined> {
  const ending = new AbortController();
  let program: ServerProgram | undefined;
  const endAtOnce = (reason: unknown) => {
    if (program === undefined) process.stderr.write(`inferd: ${textOf(reason)}\n`);
    else program.log.error({ reason }, 'Ending at once');
  };
  const { uninstall } = closeWithGrace(
    {
      // The program knows how long its end may take.
      delay: false,
      logger: false,
      onSecondSignal: (signal) => endAtOnce(`second ${signal}, exiting`),
      onSecondError: endAtOnce,
    },
    async ({ signal, err }) => {
      ending.abort();
      if (program !== undefined) await program.end(signal, err);
      else if (err !== undefined) process.stderr.write(`inferd: ${textOf(err)}\n`);
    },
  );
  try {
    const options = await readOptions(args, role);
    if (typeof options === 'number') {
      uninstall();
      return options;
    }
    const { ServerProgram } = await importInTurns();
    program = new ServerProgram(options, role);
    await program.run(ending.signal);
  } catch (thrown) {
    // The process ends with the program, and by a signal: that the start did not come to its end is no failure.
    if (!ending.signal.aborted) throw thrown;
  }
  return undefined;
}

/** The options, or the exit code where there is nothing to serve. */
async function readOptions(args: readonly string[], role: Role): Promise<ServeOptions | number> {
  const { requireZod } = await import('../domains/require-zod.ts');
  requireZod();
  const { serveCommand, settingsOf } = await import('./serve-command.ts');
  const { readOrExplain } = await import('./arguments/run-command.ts');
  const read = readOrExplain(serveCommand(role), args);
  return typeof read === 'number' ? read : { settings: settingsOf(read.values), domains: read.values.domains };
}

/** Imports the program part by part, for a signal is only heard between two turns of the event loop. */
async function importInTurns(): Promise<typeof import('./server-program.ts')> {
  const parts = [
    () => import('fastify'),
    () => import('../settings.ts'),
    () => import('../inference/batched-model.ts'),
    () => import('../inference/model.ts'),
    () => import('../models/registry/registry.ts'),
    () => import('../telemetry/metrics.ts'),
    () => import('../http/routes/openapi.ts'),
    () => import('../protocols/native/routes.ts'),
    () => import('../app.ts'),
    () => import('../services.ts'),
  ];
  for (const importPart of parts) {
    await turn();
    await importPart();
  }
  await turn();
  return import('./server-program.ts');
}

function textOf(thrown: unknown): string {
  return String(thrown instanceof Error ? (thrown.stack ?? thrown.message) : thrown);
}
