import { parseArgs } from 'node:util';

/** Options of the command line, with the setting that each is; the names are those that KServe gives to its runtimes. */
const settingOfOption = {
  model_name: 'MODEL_NAME',
  model_dir: 'MODELS_DIR',
  http_port: 'PORT',
} as const;

const options = {
  model_name: { type: 'string' },
  model_dir: { type: 'string' },
  http_port: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

export interface Arguments {
  readonly command: string;
  /** Settings by their names in the environment, which they take the place of. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Reads the arguments after the name of the program.
 *
 * @throws TypeError with a message for people when an option is unknown, or lacks its value
 */
export function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [command = 'serve'] = positionals;
  const settings = Object.entries(settingOfOption).flatMap(([option, setting]) => {
    const value = values[option as keyof typeof settingOfOption];
    return value === undefined ? [] : [[setting, value] as const];
  });
  return { command: values.help === true ? 'help' : command, settings: Object.fromEntries(settings) };
}
