import { z } from 'zod';
import { hashApiKey, newApiKey } from '../../access/api-key.ts';
import { changeKeyFile, keyNameSchema, readKeyFile, type StoredKey } from '../../access/key-file.ts';
import { scopes } from '../../access/scope.ts';
import { AppError } from '../../errors.ts';
import { queryNumber } from '../../http/terms/query-number.ts';
import { readSettings } from '../../settings.ts';
import { isCalendarDay } from '../../timing/calendar-day.ts';
import { type CommandDefinition, text } from '../arguments/command.ts';
import { usageOf } from '../arguments/usage.ts';
import { readEnvironment } from '../environment.ts';
import { textTable } from '../text-table.ts';

const words = z.string().transform((text) =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== ''),
);
const count = queryNumber(z.number().int().min(1)).optional();
const moment = z
  .string()
  .refine(isMoment, 'expected a date such as 2027-01-31')
  .transform((text) => new Date(text).toISOString());

const options = z.object({
  file: text('<file>', 'The key file (default: API_KEYS_FILE)', z.string().optional()),
  name: text('<name>', 'Whose key it is', keyNameSchema.optional()),
  scopes: text(
    '<scopes>',
    `What it may do, of ${scopes.join(',')} (default: infer)`,
    words.pipe(z.array(z.enum(scopes))).default(['infer']),
  ),
  models: text('<names>', 'Models that it may use, with commas between them (default: all)', words.optional()),
  'rate-per-minute': text('<number>', 'Most requests a minute', count),
  concurrency: text('<number>', 'Most requests at a time', count),
  expires: text('<date>', 'When it ends, such as 2027-01-31 (default: never)', moment.optional()),
});

type KeyOptions = z.output<typeof options>;

/** Where a command writes, and what it knows of the world. */
interface KeysContext {
  /** `API_KEYS_FILE`. */
  readonly file: string | undefined;
  readonly now: Date;
  readonly write: (text: string) => void;
}

/** Makes, lists and revokes keys. Its `run` throws AppError `SETTINGS_INVALID` for a file that cannot be used. */
export function keysCommand(context = ofThisProcess): CommandDefinition<z.output<typeof options>, readonly string[]> {
  const definition = {
    name: 'keys',
    synopsis: '<command>',
    about: `Commands:
  create --name <name>  Make a key and print it, this once
  list                  Show the keys without what is secret
  revoke <id>           Refuse a key from now on

A server that runs follows the file.`,
    options,
    operands: z.array(z.string()),
  };
  return {
    ...definition,
    async run(values, [command, id]) {
      const { file: usual, ...world } = context();
      const file = values.file ?? usual;
      if (command !== 'create' && command !== 'list' && command !== 'revoke') {
        world.write(usageOf(definition));
        return command === undefined || command === 'help' ? 0 : 2;
      }
      if (file === undefined) throw invalid('give the key file as --file or as API_KEYS_FILE');
      if (command === 'create') await create(file, values, world);
      else if (command === 'list') world.write(table(await readKeyFile(file), world.now));
      else await revoke(file, id, world);
      return 0;
    },
  };
}

function ofThisProcess(): KeysContext {
  const { apiKeysFile: file } = readSettings(readEnvironment());
  return { file, now: new Date(), write: (text) => void process.stdout.write(text) };
}

async function create(file: string, values: KeyOptions, { now, write }: Omit<KeysContext, 'file'>): Promise<void> {
  const { name, models, scopes: allowed, concurrency, expires, 'rate-per-minute': ratePerMinute } = values;
  if (name === undefined) throw invalid('--name says whose key it is');
  const { id, key } = newApiKey();
  const stored: StoredKey = {
    id,
    name,
    hash: `sha256:${hashApiKey(key).toString('hex')}`,
    scopes: allowed,
    models: models ?? 'all',
    limits: {
      ...(ratePerMinute !== undefined && { ratePerMinute }),
      ...(concurrency !== undefined && { concurrency }),
    },
    created: now.toISOString(),
    ...(expires !== undefined && { expires }),
  };
  await changeKeyFile(file, (existing) => [...existing, stored]);
  write(`${key}\n`);
}

async function revoke(file: string, id: string | undefined, { now, write }: Omit<KeysContext, 'file'>): Promise<void> {
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
  return textTable([['ID', 'STATE', 'SCOPES', 'MODELS', 'EXPIRES', 'NAME'], ...rows]);
}

function stateOf({ revoked, expires }: StoredKey, now: Date): string {
  if (revoked !== undefined) return 'revoked';
  return expires !== undefined && Date.parse(expires) <= now.getTime() ? 'expired' : 'valid';
}

function isMoment(text: string): boolean {
  const isNoDay = /^\d{4}-\d{2}-\d{2}/.test(text) && !isCalendarDay(text);
  return !isNoDay && !Number.isNaN(Date.parse(text));
}

function invalid(message: string): AppError {
  return new AppError('SETTINGS_INVALID', { message });
}
