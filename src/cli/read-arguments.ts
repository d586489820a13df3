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
  domains: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

export interface Arguments {
  readonly command: string;
  /** Settings by their names in the environment, which they take the place of. */
  readonly settings: Readonly<Record<string, string>>;
  /** Module of the domains to serve. */
  readonly domains: string | undefined;
}

/**
 * Reads the arguments after the name of the program.
 *
 * @throws TypeError with a message for people when an option is unknown, or lacks its value
 */
export function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [command = 'serve', ...others] = positionals;
  if (others.length > 0) throw new TypeError(`${command} takes options alone, received ${JSON.stringify(others[0])}`);
  const settings = Object.entries(settingOfOption).flatMap(([option, setting]) => {
    const value = values[option as keyof typeof settingOfOption];
    return value === undefined ? [] : [[setting, value] as const];
  });
  const asked = values.help === true ? 'help' : values.version === true ? 'version' : command;
  return { command: asked, settings: Object.fromEntries(settings), domains: values.domains };
}
