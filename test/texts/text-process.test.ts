import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TextProcess } from '../../src/texts/text-process.ts';
import { type FakeChild, fakeChildren } from './fake-child.ts';

const keep = { tokens: 100, side: 'right' } as const;
const plain = { keep, details: false };

function open(options?: Parameters<typeof fakeChildren>[0]) {
  const warnings: string[] = [];
  const { children, start } = fakeChildren(options);
  const log = { warn: (_fields: object, message: string) => void warnings.push(message) };
  return { process: new TextProcess({ log, start }), children, warnings };
}

const kinds = (child: FakeChild | undefined) => child?.sent.map(({ kind }) => kind);
const textsOf = (child: FakeChild | undefined) =>
  child?.sent.flatMap((message) => (message.kind === 'encode' ? message.texts : []));
const ids = (texts: readonly { readonly ids: Int32Array }[]) => texts.map((text) => [...text.ids]);

describe('the text process', () => {
  it('starts with the first tokenizer, and ends with the last', async () => {
    const { process, children, warnings } = open();
    expect(children).toHaveLength(0);
    const [first, second] = [await process.load('a'), await process.load('b')];
    expect(children).toHaveLength(1);
    process.unload(first);
    expect(process.pid).toBe(1);
    process.unload(second);
    expect(process.pid).toBeUndefined();
    await setImmediate();
    expect(children[0]?.connected).toBe(false);
    await process.load('c');
    expect(process.pid).toBe(2);
    expect(warnings).toEqual([]);
  });

  it('ends when the only tokenizer could not be loaded', async () => {
    const { process, children } = open(() => ({ isPrompt: false }));
    const loading = process.load('a');
    const [message] = children[0]?.sent ?? [];
    if (message?.kind !== 'load') throw new Error('nothing was asked');
    children[0]?.reply({ kind: 'failed', request: message.request, reason: 'invalid', message: 'no JSON' });
    await expect(loading).rejects.toMatchObject({ code: 'FACE_INVALID', message: 'tokenizer.json: no JSON' });
    expect(process.pid).toBeUndefined();
  });

  it('is ended and started anew for the others when a tokenizer hangs while it loads', async () => {
    const { process, children, warnings } = open((index) => ({ isPrompt: index > 0 }));
    const stopping = new AbortController();
    const other = process.load('a');
    const hanging = process.load('b', stopping.signal);
    const [first] = children;
    stopping.abort(new Error('too late'));
    await expect(hanging).rejects.toThrow('too late');
    expect(await other).toMatchObject({ facts: { sha256: 'abc' } });
    await setImmediate();
    expect(first?.connected).toBe(false);
    expect(children).toHaveLength(2);
    expect(children[1]?.sent).toMatchObject([{ kind: 'load', path: 'a' }]);
    expect(warnings).toEqual(['The text process has ended; it is started anew']);
  });

  it('is ended with a tokenizer that is given up over its texts', async () => {
    const { process, children } = open();
    const [held, other] = [await process.load('a'), await process.load('b')];
    for (const child of children) child.isPrompt = false;
    const hanging = process.encode(held, ['x'], plain);
    const underWay = process.encode(other, ['yy'], plain);
    process.unload(held);
    await expect(hanging).rejects.toMatchObject({ code: 'ENCODER_FAILED' });
    expect(ids(await underWay)).toEqual([[2]]);
    expect(children).toHaveLength(2);
  });

  it('starts no other for a tokenizer that hangs alone', async () => {
    const { process, children } = open(() => ({ isPrompt: false }));
    const stopping = new AbortController();
    const hanging = process.load('b', stopping.signal);
    stopping.abort(new Error('too late'));
    await expect(hanging).rejects.toThrow('too late');
    expect([children.length, process.pid]).toEqual([1, undefined]);
  });

  it('is not needed to tell that the library is missing', async () => {
    const { process, children } = open(() => ({ isPrompt: false }));
    const loading = process.load('a');
    children[0]?.reply({ kind: 'failed', request: 1, reason: 'missing', message: 'Cannot find package' });
    await expect(loading).rejects.toMatchObject({
      code: 'FACE_INVALID',
      message: expect.stringContaining('npm install tokenizers@'),
    });
  });

  it('is started anew with its tokenizers when it dies idle', async () => {
    const { process, children, warnings } = open();
    const held = await process.load('a');
    children[0]?.end('SIGKILL');
    expect(children).toHaveLength(2);
    expect(children[1]?.sent).toMatchObject([{ kind: 'load', path: 'a', sha256: 'abc' }]);
    expect(warnings).toEqual(['The text process has ended; it is started anew']);
    expect(ids(await process.encode(held, ['one three'], plain))).toEqual([[3, 5]]);
  });

  it('is not started again and again when it dies at once, until it is needed', async () => {
    const { process, children } = open((index) => ({ isPrompt: index !== 1 }));
    const held = await process.load('a');
    children[0]?.end('SIGKILL');
    children[1]?.end('SIGKILL');
    expect(children).toHaveLength(2);
    expect(ids(await process.encode(held, ['one'], plain))).toEqual([[3]]);
    expect(children).toHaveLength(3);
  });

  it('answers what was under way after its death', async () => {
    const { process, children } = open((index) => ({ isPrompt: index > 0 }));
    const loading = process.load('a');
    children[0]?.answer(loadOf(children[0]));
    const held = await loading;
    const asked = Promise.all(['one', 'three five', 'a'].map((text) => process.encode(held, [text], plain)));
    children[0]?.end('SIGKILL');
    expect((await asked).map(ids)).toEqual([[[3]], [[5, 4]], [[1]]]);
  });

  it('tries what was under way alone, one after the other, and new texts after them', async () => {
    const { process, children } = open(() => ({ isPrompt: false }));
    const loading = process.load('a');
    children[0]?.answer(loadOf(children[0]));
    const held = await loading;
    const asked = ['one', 'two'].map((text) => process.encode(held, [text], plain));
    children[0]?.end('SIGKILL');
    const later = process.encode(held, ['later'], plain);
    const second = children[1];
    expect(textsOf(second)).toEqual(['one']);
    answerLast(second);
    expect(textsOf(second)).toEqual(['one', 'two']);
    answerLast(second);
    expect(textsOf(second)).toEqual(['one', 'two', 'later']);
    answerLast(second);
    await Promise.all([...asked, later]);
    expect(children).toHaveLength(2);
  });

  it('lets texts of others go between the tries of a tokenizer whose texts have ended it', async () => {
    const { process, children } = open(() => ({ isPrompt: false }));
    const loads = [process.load('bad'), process.load('good')];
    answerAll(children[0]);
    const [bad, good] = await Promise.all(loads);
    if (bad === undefined || good === undefined) throw new Error('nothing was loaded');
    const deadly = Promise.allSettled(['one', 'two', 'three'].map((text) => process.encode(bad, [text], plain)));
    children[0]?.end('SIGABRT');
    expect(textsOf(children[1])).toEqual(['one']);
    const others = ['four', 'five'].map((text) => process.encode(good, [text], plain));
    children[1]?.end('SIGABRT');
    expect(textsOf(children[2])).toEqual(['four', 'five']);
    answerAll(children[2]);
    expect((await Promise.all(others)).map(ids)).toEqual([[[4]], [[4]]]);
    expect(textsOf(children[2])).toEqual(['four', 'five', 'two']);
    const later = process.encode(good, ['later'], plain);
    children[2]?.end('SIGABRT');
    expect(textsOf(children[3])).toEqual(['later']);
    answerLast(children[3]);
    expect(textsOf(children[3])).toEqual(['later', 'three']);
    answerLast(children[3]);
    expect((await deadly).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    await later;
  });

  it('fails the text alone that it dies of twice', async () => {
    const { process, children } = open(() => ({ deadlyText: 'deadly' }));
    const held = await process.load('a');
    const asked = await Promise.allSettled(
      ['one', 'a deadly text', 'three'].map((text) => process.encode(held, [text], plain)),
    );
    expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(asked[1]).toMatchObject({ reason: { code: 'ENCODER_FAILED', retryAfterSeconds: 1 } });
    expect(children.length).toBeLessThanOrEqual(3);
    expect(ids(await process.encode(held, ['fine'], plain))).toEqual([[4]]);
  });

  it('refuses the tokenizer alone that it dies of while it loads', async () => {
    const { process } = open(() => ({ deadlyText: 'deadly' }));
    const held = await process.load('a');
    const [bad, good] = await Promise.allSettled([process.load('deadly'), process.load('b')]);
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'FACE_INVALID' } });
    expect(good).toMatchObject({ status: 'fulfilled' });
    expect(ids(await process.encode(held, ['still here'], plain))).toEqual([[5, 4]]);
  });

  it('loads a tokenizer that was being loaded when it died of something else', async () => {
    const { process, children } = open((index) => ({ isPrompt: index > 0 }));
    const loading = Promise.all([process.load('a'), process.load('b')]);
    children[0]?.end('SIGKILL');
    const [first, second] = await loading;
    expect(ids(await process.encode(first, ['one'], plain))).toEqual([[3]]);
    expect(ids(await process.encode(second, ['three'], plain))).toEqual([[5]]);
    expect(children).toHaveLength(2);
  });

  it('does not load again what was unloaded', async () => {
    const { process, children } = open();
    const [first] = [await process.load('a'), await process.load('b')];
    process.unload(first);
    expect(kinds(children[0])).toEqual(['load', 'load', 'unload']);
    children[0]?.end('SIGKILL');
    expect(children[1]?.sent).toMatchObject([{ path: 'b' }]);
  });

  it('waits for nobody whose request was given up', async () => {
    const { process, children } = open((index) => ({ isPrompt: index > 0 }));
    const loading = process.load('a');
    children[0]?.answer(loadOf(children[0]));
    const held = await loading;
    const controller = new AbortController();
    const asked = process.encode(held, ['one'], { ...plain, signal: controller.signal });
    controller.abort(new Error('gone'));
    await expect(asked).rejects.toThrow('gone');
    await expect(process.encode(held, ['one'], { ...plain, signal: controller.signal })).rejects.toThrow('gone');
  });

  it('fails what is under way when it is closed, and all that comes later', async () => {
    const { process, children, warnings } = open((index) => ({ isPrompt: index > 0 }));
    const loading = process.load('a');
    children[0]?.answer(loadOf(children[0]));
    const held = await loading;
    const asked = process.encode(held, ['one'], plain);
    const failed = expect(asked).rejects.toMatchObject({ code: 'ENCODER_FAILED' });
    await process.close();
    await failed;
    await expect(process.encode(held, ['one'], plain)).rejects.toMatchObject({ code: 'ENCODER_FAILED' });
    await expect(process.load('b')).rejects.toMatchObject({ code: 'ENCODER_FAILED' });
    expect(children).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it('can be closed before it was ever needed', async () => {
    await open().process.close();
  });

  it('can be closed while it is being started, and is not', async () => {
    const { process, children } = open(() => ({ isPrompt: false }));
    const loading = process.load('a');
    const failed = expect(loading).rejects.toMatchObject({ code: 'ENCODER_FAILED' });
    const closing = process.close();
    children[0]?.emit('error', new Error('spawn EAGAIN'));
    await Promise.all([closing, failed]);
    expect(children).toHaveLength(1);
  });

  it('fails a text when it cannot be started', async () => {
    const { process, children } = open(() => ({ isPrompt: false }));
    const loading = process.load('a');
    children[0]?.emit('error', new Error('spawn ENOMEM'));
    children[1]?.emit('error', new Error('spawn ENOMEM'));
    await expect(loading).rejects.toMatchObject({ code: 'FACE_INVALID' });
    expect(children).toHaveLength(2);
  });
});

describe('a process that cannot be started', () => {
  it('fails what needs it, also what was under way when the last one died, and is tried again with the next text', async () => {
    const { children, start } = fakeChildren((index) => ({ isPrompt: index !== 1 }));
    let hasMemory = true;
    const process = new TextProcess({
      log: { warn: () => {} },
      start: () => {
        if (hasMemory) return start();
        throw new Error('spawn ENOMEM');
      },
    });
    const held = await process.load('a');
    children[0]?.end('SIGKILL');
    const asked = Promise.allSettled(['one', 'two'].map((text) => process.encode(held, [text], plain)));
    hasMemory = false;
    children[1]?.end('SIGKILL');
    const message = expect.stringContaining('spawn ENOMEM');
    expect(await asked).toMatchObject([
      { status: 'rejected', reason: { code: 'ENCODER_FAILED', message } },
      { status: 'rejected', reason: { code: 'ENCODER_FAILED', message } },
    ]);
    await expect(process.encode(held, ['three'], plain)).rejects.toMatchObject({ code: 'ENCODER_FAILED', message });
    hasMemory = true;
    expect(ids(await process.encode(held, ['three'], plain))).toEqual([[5]]);
  });
});

function loadOf(child: FakeChild | undefined) {
  const message = child?.sent.find(({ kind }) => kind === 'load');
  if (message?.kind !== 'load') throw new Error('no tokenizer was asked for');
  return message;
}

function answerAll(child: FakeChild | undefined): void {
  for (const message of [...(child?.sent ?? [])]) if (message.kind !== 'unload') child?.answer(message);
}

function answerLast(child: FakeChild | undefined): void {
  const message = child?.sent.at(-1);
  if (message?.kind !== 'encode') throw new Error('no text was asked for');
  child?.answer(message);
}
