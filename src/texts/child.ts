/**
 * The program of the text process: it holds the tokenizers of all models. Their library ends the process on some broken
 * files, whatever is caught; here it may.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Encoding, Tokenizer } from 'tokenizers';
import { learnTemplate } from './learn-template.ts';
import type { EncodeTexts, LoadTokenizer, TextAnswer, TextMessage, TextTokens, TokenizerFacts } from './messages.ts';

const tokenizers = new Map<number, Tokenizer>();

class Refusal extends Error {
  readonly reason: 'missing' | 'changed';

  constructor(reason: 'missing' | 'changed', message: string) {
    super(message);
    this.reason = reason;
  }
}

async function load({ path, tokenizer, sha256 }: LoadTokenizer): Promise<TokenizerFacts> {
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
  tokenizers.set(tokenizer, loaded);
  return { template, sha256: digest, ids: addedIds(file) };
}

function readObject(bytes: Buffer): Record<string, unknown> {
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new TypeError('expected an object');
}

/** Ids of the added tokens: those that configurations name as special. */
function addedIds({ added_tokens: added }: Record<string, unknown>): Record<string, number> {
  if (!Array.isArray(added)) return {};
  const entries = added.flatMap((token: { content?: unknown; id?: unknown }): [string, number][] =>
    typeof token?.content === 'string' && typeof token.id === 'number' ? [[token.content, token.id]] : [],
  );
  return Object.fromEntries(entries);
}

async function encode({ texts, tokenizer, keep, details }: EncodeTexts): Promise<readonly TextTokens[]> {
  const loaded = tokenizers.get(tokenizer);
  if (loaded === undefined) throw new Error('the tokenizer is not loaded');
  // The empty text of a batch is one in every tokenizer, but some of them refuse it.
  const encodings = await loaded.encodeBatch([...texts], { addSpecialTokens: false });
  return encodings.map((encoding) => tokensOf(encoding, { keep, details }));
}

function tokensOf(encoding: Encoding, { keep, details }: Pick<EncodeTexts, 'keep' | 'details'>): TextTokens {
  const ids = encoding.getIds();
  const count = ids.length;
  const cut = <T>(list: readonly T[]) =>
    keep.side === 'right' ? list.slice(0, keep.tokens) : list.slice(Math.max(0, count - keep.tokens));
  const short = count <= keep.tokens ? ids : cut(ids);
  if (!details) return { ids: Int32Array.from(short), count };
  const offsets = Int32Array.from(cut(encoding.getOffsets()).flat());
  return { ids: Int32Array.from(short), count, offsets, tokens: cut(encoding.getTokens()) };
}

async function answer(message: LoadTokenizer | EncodeTexts): Promise<TextAnswer> {
  const { request } = message;
  try {
    return message.kind === 'load'
      ? { kind: 'loaded', request, facts: await load(message) }
      : { kind: 'encoded', request, texts: await encode(message) };
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
