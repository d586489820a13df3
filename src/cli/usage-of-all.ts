import { optionLines, tableLines } from './arguments/usage.ts';
import { serveOptions } from './serve-command.ts';

interface Named {
  readonly name: string;
  readonly summary: string;
}

/** What `inferd help` shows. */
export function usageOfAll(commands: readonly Named[]): string {
  return `Usage: inferd [command] [options]

Commands:
${tableLines(commands.map(({ name, summary }) => [name, summary]))}
Options of serve and worker:
${optionLines(serveOptions)}
"inferd help <command>" shows the options of any other. Settings come from the environment and from a file .env;
docs/settings.md lists them.
`;
}
