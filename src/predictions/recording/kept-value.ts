import { exactJsonText } from '../../tensor/json/exact-json-text.ts';

/** What stands in the place of a value that is never kept. */
export const redactedText = '[redacted]';

export interface KeepingRules {
  /** Names of the fields whose values are hidden, wherever they stand. */
  readonly redact: ReadonlySet<string>;
  /** Files are kept whole, in base64 as a client may send them, instead of what is said of them. */
  readonly keepsFiles: boolean;
  /** Longest text of the inputs, and of the outputs, of one prediction, in bytes; what is longer is left out. */
  readonly maxBytes: number;
}

/** What is kept in the place of a file: its size, its digest, and what its domain says of it. */
export interface FileDescription {
  readonly bytes: number;
  readonly sha256: string;
}

/** What is kept in the place of each file. */
export type FileDescriptions = ReadonlyMap<Uint8Array, FileDescription>;

/**
 * A value as JSON text for the database: with what is redacted hidden, and files in base64 or as what is said of them.
 * A text that would be too long is `{"omitted": …}` with its size.
 *
 * @param described of every file in the value, unless files are kept
 */
export function keptJson(value: unknown, rules: KeepingRules, described: FileDescriptions = new Map()): string {
  const files = filesIn(value);
  const fileBytes = files.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (rules.keepsFiles && fileBytes > rules.maxBytes) return omitted({ bytes: fileBytes });
  const kept = rules.redact.size > 0 || files.length > 0 ? rewrite(value, rules, described) : value;
  const text = holdsExactNumber(kept) ? exactJsonText(kept) : (JSON.stringify(kept) ?? 'null');
  return text.length > rules.maxBytes ? omitted({ bytes: text.length }) : storableJson(text);
}

/** Looks at the files in a value, whose digests are made beside this thread: a large file would hold up requests. */
export async function describeFiles(value: unknown, describe: (file: Uint8Array) => object): Promise<FileDescriptions> {
  const described = filesIn(value).map(async (file) => {
    const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(file));
    const sha256 = Buffer.from(digest).toString('hex');
    return [file, { bytes: file.byteLength, sha256, ...describe(file) }] as const;
  });
  return new Map(await Promise.all(described));
}

/** What is kept instead of something too large, with what can be said of it. */
export function omitted(details: object): string {
  return JSON.stringify({ omitted: details });
}

/** Whether a kept value is all of what was given: nothing of it is redacted, left out, or a mere description of a file. */
export function isWhole(value: unknown): boolean {
  if (value === redactedText) return false;
  if (typeof value !== 'object' || value === null) return true;
  if ('omitted' in value || ('file' in value && isDescription(value.file))) return false;
  return Object.values(value).every(isWhole);
}

function isDescription(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'sha256' in value && 'bytes' in value;
}

function filesIn(value: unknown): readonly Uint8Array[] {
  if (typeof value !== 'object' || value === null) return [];
  if (value instanceof Uint8Array) return [value];
  const files: Uint8Array[] = [];
  for (const member of Object.values(value)) {
    if (typeof member === 'object') files.push(...filesIn(member));
  }
  return files;
}

/** Whether there is a number that `JSON.stringify` would write as another one, or not at all. */
function holdsExactNumber(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' || Object.is(value, -0);
  return Object.values(value).some(holdsExactNumber);
}

function rewrite(value: unknown, rules: KeepingRules, described: FileDescriptions): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) {
    return rules.keepsFiles ? Buffer.from(value).toString('base64') : { file: described.get(value) };
  }
  if (Array.isArray(value)) return value.map((element) => rewrite(element, rules, described));
  // A number that is written as its text stands.
  if (JSON.isRawJSON(value)) return value;
  const fields = Object.entries(value).map(([name, field]) => [
    name,
    rules.redact.has(name) ? redactedText : rewrite(field, rules, described),
  ]);
  return Object.fromEntries(fields);
}

/** Postgres takes no U+0000 and no half of a surrogate pair in a JSON text; U+FFFD stands for them. */
function storableJson(text: string): string {
  if (!/\\u(0000|d[89a-f])/.test(text)) return text;
  // An escaped backslash is taken as one, so that what follows it is no escape.
  return text.replaceAll(/\\(u0000|ud[89a-f][0-9a-f]{2}|.)/g, (whole, what: string) =>
    /^u(0000|d)/.test(what) ? '\\ufffd' : whole,
  );
}
