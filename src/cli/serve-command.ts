import { z } from 'zod';
import type { Role } from '../app.ts';
import { type CommandDefinition, noOperands, text } from './arguments/command.ts';

/** Those that name a setting are for containers whose settings are arguments; the names are those that KServe gives. */
export const serveOptions = z.object({
  domains: text(
    '<file>',
    'Module whose default export is a domain of defineDomain, or an array of them: JavaScript, or TypeScript whose ' +
      'types Node.js strips (default: those of the shipped models)',
    z.string().optional(),
  ),
  model_dir: text('<folder>', 'In the place of MODELS_DIR', z.string().optional()),
  model_name: text('<name>', 'In the place of MODEL_NAME', z.string().optional()),
  http_port: text('<port>', 'In the place of PORT', z.string().optional()),
});

const settingOfOption = { model_name: 'MODEL_NAME', model_dir: 'MODELS_DIR', http_port: 'PORT' } as const;

/** How `inferd serve` and `inferd worker` are called. */
export function serveCommand(role: Role): Omit<CommandDefinition<z.output<typeof serveOptions>, unknown>, 'run'> {
  return {
    name: role === 'server' ? 'serve' : 'worker',
    synopsis: '',
    about:
      role === 'server'
        ? 'Serves the model repository until a signal ends the process.'
        : 'Works on the background tasks of servers on the same DATABASE_URL, until a signal ends the process.',
    options: serveOptions,
    operands: noOperands,
  };
}

/** Settings by their names in the environment, which they take the place of. */
export function settingsOf(values: z.output<typeof serveOptions>): Readonly<Record<string, string>> {
  const { domains: _, ...others } = values;
  const named = Object.entries(others).flatMap(([option, value]) =>
    value === undefined ? [] : [[settingOfOption[option as keyof typeof settingOfOption], value] as const],
  );
  return Object.fromEntries(named);
}
