import { parseArgs } from 'node:util';
import { hashApiKey, newApiKey } from '../access/api-key.ts';
import { changeKeyFile, keyNameSchema, readKeyFile, type StoredKey } from '../access/key-file.ts';
import { scopes } from '../access/scope.ts';
import { AppError } from '../errors.ts';
import { readSettings } from '../settings.ts';
import { isCalendarDay } from '../timing/calendar-day.ts';
import { readEnvironment } from './environment.ts';

export const keysUsage = `Usage: inferd keys <command> [--file FILE]

Commands:
  create --name NAME   Make a key and print it, this once
      [--scopes infer,admin,metrics]   What it may do; default: infer
      [--models a,b]                   Models that it may use; default: all
      [--rate-per-minute N] [--concurrency N]
      [--expires 2027-01-31]           Default: never
  list                 Show the keys without what is secret
  revoke ID            Refuse a key from now on

FILE is API_KEYS_FILE, if it is not given. A server that runs follows it.
`;

const options = {
  file: { type: 'string' },
  name: { type: 'string' },
  scopes: { type: 'string', default: 'infer' },
  models: { type: 'string' },
  'rate-per-minute': { type: 'string' },
  concurrency: { type: 'string' },
  expires: { type: 'string' },
} as const;

/** Where a command writes, and what it knows of the world. */
interface KeysContext {
  /** `API_KEYS_FILE`. */
  readonly file: string | undefined;
  readonly now: Date;
  readonly write: (text: string) => void;
}

/**
 * Runs `inferd keys …`; the result is the exit code.
 *
 * @throws AppError `SETTINGS_INVALID` for a value or a file that cannot be used
 */
export async function keys(args: readonly string[], context = ofThisProcess()): Promise<number> {
  const { values, positionals } = readArguments(args);
  const [command, id] = positionals;
  const file = values.file ?? context.file;
  if (command !== 'create' && command !== 'list' && command !== 'revoke') {
    context.write(keysUsage);
    return command === undefined || command === 'help' ? 0 : 2;
  }
  if (file === undefined) throw invalid('give the key file as --file or as API_KEYS_FILE');
  if (command === 'create') await create(file, values, context);
  else if (command === 'list') context.write(table(await readKeyFile(file), context.now));
  else await revoke(file, id, context);
  return 0;
}

function ofThisProcess(): KeysContext {
  const { apiKeysFile: file } = readSettings(readEnvironment());
  return { file, now: new Date(), write: (text) => void process.stdout.write(text) };
}

type Values = ReturnType<typeof readArguments>['values'];

async function create(file: string, values: Values, { now, write }: KeysContext): Promise<void> {
  const { models } = values;
  const { id, key } = newApiKey();
  const stored: StoredKey = {
    id,
    name: readName(values.name),
    hash: `sha256:${hashApiKey(key).toString('hex')}`,
    scopes: readScopes(values.scopes),
    models: models === undefined ? 'all' : words(models),
    limits: {
      ...(values['rate-per-minute'] !== undefined && { ratePerMinute: positive(values, 'rate-per-minute') }),
      ...(values.concurrency !== undefined && { concurrency: positive(values, 'concurrency') }),
    },
    created: now.toISOString(),
    ...(values.expires !== undefined && { expires: readMoment(values.expires) }),
  };
  await changeKeyFile(file, (existing) => [...existing, stored]);
  write(`${key}\n`);
}

async function revoke(file: string, id: string | undefined, { now, write }: KeysContext): Promise<void> {
  if (id === undefined) throw invalid('say which key: inferd keys revoke ID');
  await changeKeyFile(file, (existing) => {
    if (!existing.some((key) => key.id === id)) throw invalid(`there is no key ${id} in ${file}`);
    return existing.map((key) => (key.id === id ? { revoked: now.toISOString(), ...key } : key));
  });
  write(`${id} is revoked\n`);
}

function table(stored: readonly StoredKey[], now: Date): string {
  const rows = stored.map((key) => [
    key.id,
    stateOf(key, now),
    key.scopes.join(','),
    key.models === 'all' ? 'all' : key.models.join(','),
    key.expires ?? 'never',
    key.name,
  ]);
  const lines = [['ID', 'STATE', 'SCOPES', 'MODELS', 'EXPIRES', 'NAME'], ...rows];
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return `${text.map((line) => line.trimEnd()).join('\n')}\n`;
}

function stateOf({ revoked, expires }: StoredKey, now: Date): string {
  if (revoked !== undefined) return 'revoked';
  return expires !== undefined && Date.parse(expires) <= now.getTime() ? 'expired' : 'valid';
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause));
  }
}

function readName(name: string | undefined): string {
  if (name === undefined || name === '') throw invalid('--name says whose key it is');
  const { error, data } = keyNameSchema.safeParse(name);
  if (error === undefined) return data;
  throw invalid(`--name: ${error.issues.map(({ message }) => message).join('; ')}, received ${JSON.stringify(name)}`);
}

function readScopes(text: string): StoredKey['scopes'] {
  return words(text).map((word) => {
    const scope = scopes.find((candidate) => candidate === word);
    if (scope === undefined) throw invalid(`--scopes: expected some of ${scopes.join(',')}, received ${word}`);
    return scope;
  });
}

function positive(values: Values, name: 'rate-per-minute' | 'concurrency'): number {
  const number = Number(values[name]);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw invalid(`--${name}: expected a whole number from 1, received ${values[name]}`);
  }
  return number;
}

function readMoment(text: string): string {
  const moment = new Date(text);
  const isNoDay = /^\d{4}-\d{2}-\d{2}/.test(text) && !isCalendarDay(text);
  if (isNoDay || Number.isNaN(moment.getTime()))
    throw invalid(`--expires: expected a date such as 2027-01-31, received ${text}`);
  return moment.toISOString();
}

function words(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function invalid(message: string): AppError {
  return new AppError('SETTINGS_INVALID', { message });
}
