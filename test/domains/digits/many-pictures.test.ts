import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { DecodePicture } from '../../../src/domains/digits/decode-picture.ts';
import { createDigits } from '../../../src/domains/digits/digits.ts';
import { Turns } from '../../../src/pictures/turns.ts';
import { type TemporaryFolder, temporaryRepository } from '../../helpers/folder.ts';
import { startReadyServer, type TestServer } from '../../helpers/server.ts';

const large = Buffer.from('a large picture');
const small = Buffer.from('a small one');
const raster = { width: 28, height: 28, data: new Uint8Array(28 * 28).fill(255) };

let repository: TemporaryFolder;
let server: TestServer;
/** Pictures whose decoding has begun, and what ends that of the large ones. */
let begun: string[];
let ends: (() => void)[];

/** One picture at a time; a large one is at it until the test ends it. */
function decoder(): DecodePicture {
  const turns = new Turns(1);
  return (bytes, turn = { owner: {} }) =>
    turns.take(turn, async () => {
      const content = Buffer.from(bytes).toString();
      begun.push(content);
      if (content === large.toString()) await new Promise<void>((resolve) => ends.push(resolve));
      return raster;
    });
}

beforeEach(async () => {
  begun = [];
  ends = [];
  repository = await temporaryRepository('digits');
  server = await startReadyServer({ MODELS_DIR: repository.path }, [createDigits(decoder())]);
});

afterEach(async () => {
  for (const end of ends) end();
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

function form(pictures: readonly Buffer[]): FormData {
  const body = new FormData();
  for (const picture of pictures) body.append('file', new Blob([new Uint8Array(picture)]), 'picture.png');
  return body;
}

const upload = (pictures: readonly Buffer[], init: RequestInit = {}) =>
  fetch(new URL('/digits/predict/batch', server.address), { method: 'POST', body: form(pictures), ...init });

describe('an upload of many large pictures', () => {
  it('makes the picture of another wait for one of them, not for all', async () => {
    const many = upload(Array.from({ length: 40 }, () => large));
    await expect.poll(() => begun).toHaveLength(1);
    const other = upload([small]);
    const reply = expect.poll(
      async () => {
        ends.shift()?.();
        return begun.indexOf(small.toString());
      },
      { interval: 5 },
    );
    await reply.toBeGreaterThan(0);
    expect((await other).status).toBe(200);
    await expect.poll(() => begun.length, { interval: 5 }).toBeLessThan(40);
    void many.catch(() => {});
    const finishing = setInterval(() => ends.shift()?.(), 1);
    expect((await many).status).toBe(200);
    clearInterval(finishing);
  });

  it('is not decoded any more when its client is gone', async () => {
    const gone = new AbortController();
    const many = upload(
      Array.from({ length: 40 }, () => large),
      { signal: gone.signal },
    );
    await expect.poll(() => begun).toHaveLength(1);
    gone.abort();
    await expect(many).rejects.toThrow();
    const finishing = setInterval(() => ends.shift()?.(), 5);
    onTestFinished(() => clearInterval(finishing));
    // What there still is of the upload would come between these.
    for (let count = 0; count < 40; count += 1) expect((await upload([small])).status).toBe(200);
    expect(begun.filter((picture) => picture === large.toString()).length).toBeLessThan(20);
  });

  it('is answered when its time is over', async () => {
    const pictures = Array.from({ length: 40 }, () => large);
    const reply = await upload(pictures, { headers: { 'x-request-timeout-ms': '200' } });
    expect(reply.status).toBe(504);
    expect(await reply.json()).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(begun).toHaveLength(1);
  });
});
