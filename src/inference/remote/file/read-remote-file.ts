import { AppError, type Fault } from '../../../errors.ts';
import { nearestName } from '../../../names/nearest-name.ts';
import { checkNesting } from '../../../tensor/json/json-nesting.ts';
import { expectedText, foundText, valueAt } from '../../graph/file/explain.ts';
import { expandHeaders, type Secrets } from './expand-headers.ts';
import { type RemoteDefinition, remoteDefinitionSchema, remoteKeys } from './remote-definition.ts';
import { protocolOf, type RemoteProtocol } from './remote-url.ts';

const mostNesting = 16;

type Path = readonly (string | number)[];

/** What a `remote.json` says, with the secrets of its headers. */
export interface RemoteDescription extends Omit<RemoteDefinition, 'headers' | 'protocol'> {
  readonly protocol: RemoteProtocol;
  /** In small letters; with the secrets that they name. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Reads the text of a `remote.json`.
 *
 * @param source where the text comes from, for messages
 * @throws AppError `REMOTE_INVALID` with every fault: its path in the file, what was found and what is expected; never with a secret
 */
export function readRemoteFile(source: string, json: string, secrets: Secrets): RemoteDescription {
  const remote = parseJson(source, json);
  const result = remoteDefinitionSchema.safeParse(remote);
  if (!result.success) {
    const faults = result.error.issues.flatMap((issue) =>
      explain(
        issue,
        remote,
        issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key)),
      ),
    );
    throw invalid(source, [...faults, ...unsafeHeaders(remote, secrets)]);
  }
  const { data } = result;
  const protocol = protocolOf(data.urls[0] ?? '') ?? 'http';
  const { headers, faults } = expandHeaders(data.headers, { protocol, secrets });
  const all = [...protocolFaults(data), ...repeatedUrls(data), ...signatureFaults(data), ...faults];
  if (all.length > 0) throw invalid(source, all);
  return { ...data, protocol, headers };
}

function invalid(source: string, faults: readonly Fault[]): AppError {
  const message = `${source} is invalid: ${faults.map((fault) => fault.message).join('; ')}`;
  return new AppError('REMOTE_INVALID', { message, faults });
}

function explain(issue: Parameters<typeof expectedText>[0], remote: unknown, path: Path): Fault[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key]));
  const value = valueAt(remote, path);
  // A URL that is refused may hold a password.
  const what = path[0] === 'urls' && typeof value === 'string' ? issue.message : foundText(value, expectedText(issue));
  return [fault(path, issue.code, what)];
}

function unknownKey(location: Path): Fault {
  const keys = location.length === 1 ? remoteKeys.remote : location[0] === 'tls' ? remoteKeys.tls : remoteKeys.tensor;
  const meant = nearestName(String(location.at(-1)), keys);
  const advice = meant === undefined ? `expected ${keys.join(', ')}` : `did you mean ${JSON.stringify(meant)}?`;
  return fault(location, 'unknown_key', `there is no such key; ${advice}`);
}

/** Faults of headers, where other parts of the file are at fault too. */
function unsafeHeaders(remote: unknown, secrets: Secrets): readonly Fault[] {
  const headers = valueAt(remote, ['headers']);
  if (typeof headers !== 'object' || headers === null) return [];
  const texts = Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const protocol = protocolOf(String(valueAt(remote, ['urls', 0]))) ?? 'http';
  return expandHeaders(Object.fromEntries(texts), { protocol, secrets }).faults;
}

function protocolFaults({ urls, protocol = protocolOf(urls[0] ?? '') }: RemoteDefinition): readonly Fault[] {
  return urls.flatMap((url, index) => {
    const own = protocolOf(url);
    return own === protocol ? [] : [fault(['urls', index], 'protocol', `found ${own}; expected ${protocol}`)];
  });
}

function repeatedUrls({ urls }: RemoteDefinition): readonly Fault[] {
  return urls.flatMap((url, index) =>
    urls.indexOf(url) === index ? [] : [fault(['urls', index], 'repeated', 'expected each URL once')],
  );
}

function signatureFaults({ inputs, outputs }: RemoteDefinition): readonly Fault[] {
  const missing = inputs.length > 0 ? 'outputs' : 'inputs';
  const other = inputs.length > 0 ? 'inputs' : 'outputs';
  const alone =
    (inputs.length === 0) === (outputs.length === 0)
      ? []
      : [fault([missing], 'missing', `is missing; expected it beside ${other}`)];
  const twice = Object.entries({ inputs, outputs }).flatMap(([key, tensors]) =>
    tensors.flatMap(({ name }, index) =>
      tensors.findIndex((tensor) => tensor.name === name) === index
        ? []
        : [fault([key, index, 'name'], 'repeated', 'expected each name once')],
    ),
  );
  return [...alone, ...twice];
}

function fault(location: Path, type: string, what: string): Fault {
  const place = location.length === 0 ? '' : `${location.join('.')}: `;
  return { location, type, message: `${place}${what}` };
}

function parseJson(source: string, json: string): unknown {
  try {
    // Editors of Windows put a byte order mark before UTF-8.
    const text = json.replace(/^\uFEFF/, '');
    checkNesting(text, mostNesting);
    return JSON.parse(text);
  } catch (cause) {
    const place = cause instanceof SyntaxError ? /\(line \d+ column \d+\)/.exec(cause.message) : null;
    const what = cause instanceof AppError ? `has more than ${mostNesting} levels of nesting` : 'is not valid JSON';
    // What the parser says may hold a piece of the text, and that a password: it is not kept as the cause.
    throw new AppError('REMOTE_INVALID', { message: `${source} ${what}${place === null ? '' : ` ${place[0]}`}` });
  }
}
