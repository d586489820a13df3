import { type CommandDefinition, type OptionsSchema, optionTexts } from './command.ts';

/** Longest line of a usage. */
const lineLength = 118;

/** How a command is called, and what its options mean. */
export function usageOf({ name, synopsis, about, options }: Omit<CommandDefinition, 'run' | 'operands'>): string {
  const call = ['inferd', name, synopsis, '[options]'].filter((part) => part !== '').join(' ');
  return `Usage: ${call}\n\n${about}\n\nOptions:\n${optionLines(options)}`;
}

/** A line or more for each option, with their meanings below each other. */
export function optionLines(options: OptionsSchema): string {
  const rows = optionTexts(options).map(([name, { value, about }]) => [
    value === undefined ? `--${name}` : `--${name} ${value}`,
    about,
  ]);
  return tableLines(rows);
}

/** Rows of a name and a meaning; a long meaning goes on below itself. */
export function tableLines(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([name = '']) => name.length));
  const lines = rows.map(([name = '', about = '']) => {
    const [first = '', ...others] = wrap(about, lineLength - width - 4);
    return [`  ${name.padEnd(width)}  ${first}`, ...others.map((line) => ' '.repeat(width + 4) + line)].join('\n');
  });
  return `${lines.join('\n')}\n`;
}

function wrap(words: string, length: number): string[] {
  const lines: string[] = [];
  for (const word of words.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= length) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
