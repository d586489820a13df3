/**
 * The program of the text process: it holds the tokenizers of all models. Their library ends the process on some broken
 * files, whatever is caught; here it may.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Encoding, Tokenizer } from 'tokenizers';
import { codePointCount } from './code-points.ts';
import { learnTemplate } from './learn-template.ts';
import type { EncodeTexts, LoadTokenizer, TextAnswer, TextMessage, TextTokens, TokenizerFacts } from './messages.ts';

interface Loaded {
  readonly tokenizer: Tokenizer;
  readonly facts: TokenizerFacts;
  /** Added tokens by their ids: where one stands in a text, the library says how the text writes it. */
  readonly added: ReadonlyMap<number, string>;
}

/** From the moment on that they are asked for: texts come while a process that was started anew is still loading. */
const tokenizers = new Map<number, Promise<Loaded>>();

class Refusal extends Error {
  readonly reason: 'missing' | 'changed';

  constructor(reason: 'missing' | 'changed', message: string) {
    super(message);
    this.reason = reason;
  }
}

async function load({ path, sha256 }: LoadTokenizer): Promise<Loaded> {
  const library = await import('tokenizers').catch((cause: unknown) => {
    throw new Refusal('missing', cause instanceof Error ? cause.message : String(cause));
  });
  const bytes = await readFile(path);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== undefined && digest !== sha256) throw new Refusal('changed', 'tokenizer.json has changed');
  const { truncation: _, padding: _padding, ...file } = readObject(bytes);
  const loaded = library.Tokenizer.fromString(JSON.stringify(file));
  loaded.disableTruncation();
  loaded.disablePadding();
  const template = await learnTemplate(async (text, pair, addSpecialTokens) => {
    const encoding = await loaded.encode(text, pair, { addSpecialTokens });
    return { ids: encoding.getIds(), typeIds: encoding.getTypeIds() };
  });
  const ids = addedIds(file);
  return {
    tokenizer: loaded,
    facts: { template, sha256: digest, ids, unknownId: unknownId(file, loaded), marksSubwords: marksSubwords(file) },
    added: new Map(Object.entries(ids).map(([text, id]) => [id, text])),
  };
}

function readObject(bytes: Buffer): Record<string, unknown> {
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new TypeError('expected an object');
}

function membersOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Ids of the added tokens: those that configurations name as special. */
function addedIds({ added_tokens: added }: Record<string, unknown>): Record<string, number> {
  if (!Array.isArray(added)) return {};
  const entries = added.flatMap((token: { content?: unknown; id?: unknown }): [string, number][] =>
    typeof token?.content === 'string' && typeof token.id === 'number' ? [[token.content, token.id]] : [],
  );
  return Object.fromEntries(entries);
}

/** The token that stands for what a tokenizer does not know. */
function unknownId({ model }: Record<string, unknown>, tokenizer: Tokenizer): number | undefined {
  const { unk_token: token, unk_id: id } = membersOf(model);
  if (typeof id === 'number') return id;
  return typeof token === 'string' ? (tokenizer.tokenToId(token) ?? undefined) : undefined;
}

/** WordPiece has a mark for them even where the file does not say so. */
function marksSubwords({ model }: Record<string, unknown>): boolean {
  const { type, continuing_subword_prefix: prefix } = membersOf(model);
  return typeof prefix === 'string' ? prefix !== '' : type === 'WordPiece';
}

async function encode({ texts, tokenizer, keep, details }: EncodeTexts): Promise<readonly TextTokens[]> {
  const loaded = await tokenizers.get(tokenizer);
  if (loaded === undefined) throw new Error('the tokenizer is not loaded');
  const encodings = await loaded.tokenizer.encodeBatch([...texts], { addSpecialTokens: false });
  return encodings.map((encoding) => tokensOf(encoding, { keep, details }, loaded.added));
}

function tokensOf(
  encoding: Encoding,
  { keep, details }: Pick<EncodeTexts, 'keep' | 'details'>,
  added: Loaded['added'],
): TextTokens {
  const ids = encoding.getIds();
  const count = ids.length;
  const cut = <T>(list: readonly T[]) =>
    keep.side === 'right' ? list.slice(0, keep.tokens) : list.slice(Math.max(0, count - keep.tokens));
  const short = count <= keep.tokens ? ids : cut(ids);
  if (!details) return { ids: Int32Array.from(short), count };
  const offsets = Int32Array.from(cut(encoding.getOffsets()).flat());
  const lengths = Int32Array.from(cut(encoding.getTokens()), (token, index) =>
    codePointCount(added.get(short[index] ?? -1) ?? token),
  );
  return { ids: Int32Array.from(short), count, offsets, lengths };
}

async function answer(message: LoadTokenizer | EncodeTexts): Promise<TextAnswer> {
  const { request, tokenizer } = message;
  try {
    if (message.kind === 'encode') return { kind: 'encoded', request, texts: await encode(message) };
    const loading = load(message);
    tokenizers.set(tokenizer, loading);
    return { kind: 'loaded', request, facts: (await loading).facts };
  } catch (thrown) {
    const reason = thrown instanceof Refusal ? thrown.reason : 'invalid';
    return { kind: 'failed', request, reason, message: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

process.on('message', (message: TextMessage) => {
  if (message.kind === 'unload') {
    tokenizers.delete(message.tokenizer);
    return;
  }
  void answer(message).then((reply) => {
    if (process.connected) process.send?.(reply);
  });
});
// The server is gone.
process.on('disconnect', () => process.exit(0));
// A signal to the group of processes is for the server, which ends this one when the last text is encoded.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
