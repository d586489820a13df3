import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TextProcess } from '../../src/texts/text-process.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { expectedTokens, openTokenizer, tokenizerPath } from './fixture-tokenizers.ts';

const locate = (index: number) => [index];
const whole = { keep: { tokens: 10_000, side: 'right' }, details: false } as const;

async function openProcess() {
  const folder = await temporaryFolder();
  const warnings: object[] = [];
  const process = new TextProcess({ log: { warn: (fields, message) => void warnings.push({ ...fields, message }) } });
  const write = async (name: string, content: object) => {
    const path = join(folder.path, name);
    await writeFile(path, JSON.stringify(content));
    return path;
  };
  return {
    process,
    warnings,
    write,
    async [Symbol.asyncDispose]() {
      await process.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const fileOf = async (name: Parameters<typeof tokenizerPath>[0]) =>
  JSON.parse(await readFile(tokenizerPath(name), 'utf8')) as Record<string, unknown>;

describe('the process of the tokenizers', () => {
  it('answers rightly, and all that is under way, when it is killed under load', async () => {
    await using opened = await openTokenizer('wordpiece');
    const { process } = opened;
    const { texts } = await expectedTokens('wordpiece');
    const encoder = opened.limited();
    const ask = async (index: number) => {
      const { text, ids } = texts[index % texts.length] ?? { text: '', ids: [] };
      const [encoded] = await encoder.encode([text], { tooLong: 'error', locate });
      expect([...(encoded?.ids ?? [])]).toEqual(ids);
    };
    const killed = new Set<number>();
    for (let round = 0; round < 3; round++) {
      const asked = Array.from({ length: 200 }, (_, index) => ask(index));
      const { pid } = process;
      if (pid === undefined) throw new Error('no process runs');
      killed.add(pid);
      globalThis.process.kill(pid, 'SIGKILL');
      await Promise.all(asked);
    }
    expect(killed.size).toBe(3);
  });

  it('refuses a tokenizer that ends it, and serves the others on', async () => {
    await using opened = await openProcess();
    const { process, write } = opened;
    const good = await process.load(tokenizerPath('unigram'));
    const bad = await write('tokenizer.json', {
      ...(await fileOf('unigram')),
      normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAA=' },
    });
    const [refused, other] = await Promise.allSettled([process.load(bad), process.load(tokenizerPath('wordpiece'))]);
    expect(refused).toMatchObject({
      reason: { code: 'FACE_INVALID', message: 'tokenizer.json: the library of tokenizers ends on it' },
    });
    expect(other.status).toBe('fulfilled');
    const { texts } = await expectedTokens('unigram');
    const [first] = await process.encode(good, [texts[0]?.text ?? ''], whole);
    expect([...(first?.ids ?? [])]).toEqual(texts[0]?.ids.slice(1, -1));
  });

  it('takes out what would end it: truncation whose windows share more than they hold', async () => {
    await using opened = await openProcess();
    const { process, write } = opened;
    const path = await write('tokenizer.json', {
      ...(await fileOf('wordpiece')),
      truncation: { direction: 'Right', max_length: 3, strategy: 'LongestFirst', stride: 5 },
      padding: {
        strategy: { Fixed: 50 },
        direction: 'Right',
        pad_to_multiple_of: null,
        pad_id: 0,
        pad_type_id: 0,
        pad_token: '[PAD]',
      },
    });
    const { texts } = await expectedTokens('wordpiece');
    const [first] = await process.encode(await process.load(path), [texts[0]?.text ?? ''], whole);
    expect([...(first?.ids ?? [])]).toEqual(texts[0]?.ids.slice(1, -1));
  });

  it.each([
    ['is no JSON', '{'],
    ['is a list', '[]'],
    ['has no model', '{}'],
  ])('refuses a file that %s', async (_, content) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'tokenizer.json');
    await writeFile(path, content);
    const process = new TextProcess({ log: { warn: () => {} } });
    await expect(process.load(path)).rejects.toMatchObject({
      code: 'FACE_INVALID',
      message: expect.stringContaining('tokenizer.json: '),
    });
    await process.close();
  });

  it('does not go on with another tokenizer when the file has changed', async () => {
    await using opened = await openProcess();
    const { process, write, warnings } = opened;
    const held = await process.load(await write('tokenizer.json', await fileOf('wordpiece')));
    await write('tokenizer.json', await fileOf('unigram'));
    const [before] = await process.encode(held, ['good'], whole);
    expect(before?.count).toBe(1);
    globalThis.process.kill(process.pid ?? 0, 'SIGKILL');
    await expect(process.encode(held, ['good'], whole)).rejects.toMatchObject({
      code: 'ENCODER_FAILED',
      message: expect.stringContaining('tokenizer.json has changed'),
    });
    expect(warnings).toContainEqual({
      reason: 'tokenizer.json has changed',
      message: 'A tokenizer could not be loaded again',
    });
  });

  it('knows the token for what it does not know, and whether words go on with a mark', async () => {
    await using opened = await openProcess();
    const { process } = opened;
    const facts = async (name: Parameters<typeof tokenizerPath>[0]) => (await process.load(tokenizerPath(name))).facts;
    expect(await facts('wordpiece')).toMatchObject({ unknownId: 1, marksSubwords: true, ids: { '[MASK]': 4 } });
    expect(await facts('byte-level-bpe')).toMatchObject({ unknownId: undefined, marksSubwords: false });
    expect(await facts('unigram')).toMatchObject({ unknownId: 3, marksSubwords: false });
  });
});
