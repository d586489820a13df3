import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { download } from '../../src/sources/download.ts';
import { webFile } from '../../src/sources/web-file.ts';
import { FileServer } from '../helpers/file-server.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { collectGarbage } from '../helpers/garbage.ts';
import { createPatience } from './patience.ts';

const content = randomBytes(300_000);
const digest = { algorithm: 'sha256', value: createHash('sha256').update(content).digest('hex') } as const;

/** Breaks the connection whenever so many bytes have come. */
function breakAt(server: FileServer, ...bytes: number[]) {
  const onProgress = (_: string, receivedBytes: number) => {
    if (bytes.includes(receivedBytes)) server.breakConnections();
  };
  return { onProgress };
}

describe('download', () => {
  it('goes on where the connection broke, again and again', async () => {
    await using server = await FileServer.start({ '/model.onnx': content });
    await using folder = await temporaryFolder();
    server.mishaps.push({ hangAt: 100_000 }, { hangAt: 200_000 }, { hangAt: 260_000 });
    const patience = createPatience(breakAt(server, 100_000, 200_000, 260_000));

    const path = join(folder.path, 'model.onnx');
    await download(webFile(server.url('/model.onnx')), path, patience, { digest });

    expect((await readFile(path)).equals(content)).toBe(true);
    expect(server.requests.map(({ range }) => range)).toEqual([
      undefined,
      'bytes=100000-',
      'bytes=200000-',
      'bytes=260000-',
    ]);
    expect(await readdir(folder.path)).toEqual(['model.onnx']);
  });

  it('goes on with what an earlier process has left', async () => {
    await using server = await FileServer.start({ '/model.onnx': content });
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'model.onnx');
    server.mishaps.push({ hangAt: 120_000 });
    const first = createPatience({
      onProgress: (_, receivedBytes) => {
        if (receivedBytes === 120_000) first.abort.abort(new Error('killed'));
      },
    });
    await expect(download(webFile(server.url('/model.onnx')), path, first, { digest })).rejects.toThrow('killed');

    await download(webFile(server.url('/model.onnx')), path, createPatience(), { digest });
    expect(server.requests[1]?.range).toBe('bytes=120000-');
    expect((await readFile(path)).equals(content)).toBe(true);
  });

  it('starts anew when the file has changed meanwhile', async () => {
    await using server = await FileServer.start({ '/model.onnx': randomBytes(300_000) });
    await using folder = await temporaryFolder();
    server.mishaps.push({ hangAt: 100_000 });
    const path = join(folder.path, 'model.onnx');
    const patience = createPatience({
      onProgress: (_, receivedBytes) => {
        if (receivedBytes !== 100_000) return;
        server.files.set('/model.onnx', content);
        server.breakConnections();
      },
    });

    await download(webFile(server.url('/model.onnx')), path, patience);
    expect((await readFile(path)).equals(content)).toBe(true);
    expect(server.requests[1]?.range).toBe('bytes=100000-');
  });

  it.each([
    ['knows no ranges', { takesRanges: false }],
    ['does not tell one file from another', { hasTags: false }],
  ])('starts anew where the server %s', async (_, behaviour) => {
    await using server = await FileServer.start({ '/model.onnx': content });
    await using folder = await temporaryFolder();
    Object.assign(server, behaviour);
    server.mishaps.push({ hangAt: 100_000 });
    const path = join(folder.path, 'model.onnx');

    await download(webFile(server.url('/model.onnx')), path, createPatience(breakAt(server, 100_000)), { digest });
    expect((await readFile(path)).equals(content)).toBe(true);
  });

  it('gives up a connection on which nothing comes', async () => {
    await using server = await FileServer.start({ '/model.onnx': content });
    await using folder = await temporaryFolder();
    server.mishaps.push({ hangAt: 50_000 });
    const path = join(folder.path, 'model.onnx');
    const patience = createPatience({
      onProgress: (_, receivedBytes) => {
        if (receivedBytes === 50_000) setImmediate(() => void patience.clock.advance(30_000));
      },
    });

    await download(webFile(server.url('/model.onnx')), path, patience, { digest });
    expect((await readFile(path)).equals(content)).toBe(true);
    expect(server.requests[1]?.range).toBe('bytes=50000-');
  });

  it('waits twice as long each time, up to half a minute, and then gives up', async () => {
    await using server = await FileServer.start({ '/model.onnx': content });
    await using folder = await temporaryFolder();
    server.mishaps.push(...Array.from({ length: 9 }, () => ({ status: 503 })));
    const patience = createPatience();

    const end = download(webFile(server.url('/model.onnx')), join(folder.path, 'model.onnx'), patience);
    await expect(end).rejects.toMatchObject({ code: 'MODELS_SOURCE_UNAVAILABLE' });
    expect(patience.delaysMs).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it('counts its failures anew when it gets on', async () => {
    await using server = await FileServer.start({ '/model.onnx': content });
    await using folder = await temporaryFolder();
    server.mishaps.push({ status: 503 }, { hangAt: 1000 }, { status: 503 }, { hangAt: 2000 });
    const patience = createPatience(breakAt(server, 1000, 2000));

    await download(webFile(server.url('/model.onnx')), join(folder.path, 'model.onnx'), patience, { digest });
    expect(patience.delaysMs).toEqual([500, 500, 1000, 500]);
  });

  it('gets all of an answer that was left unread while garbage was collected', async () => {
    await using server = await FileServer.start({ '/model.onnx': 'weights' });
    const from = { firstByte: 0, tag: undefined };
    const { reader } = await webFile(server.url('/model.onnx')).open(from, new AbortController().signal);
    await collectGarbage();
    const { value } = await reader.read();
    expect(String(Buffer.from(value ?? []))).toBe('weights');
  });

  it('asks only once for what is not there', async () => {
    await using server = await FileServer.start();
    await using folder = await temporaryFolder();
    const end = download(webFile(server.url('/no.onnx')), join(folder.path, 'no.onnx'), createPatience());
    await expect(end).rejects.toMatchObject({ name: 'RefusedByServer', status: 404 });
    expect(server.requests).toHaveLength(1);
  });

  it('keeps nothing of a file with another digest', async () => {
    await using server = await FileServer.start({ '/model.onnx': 'not the model' });
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'model.onnx');
    const end = download(webFile(server.url('/model.onnx')), path, createPatience(), { digest });
    await expect(end).rejects.toMatchObject({ code: 'MODELS_FETCH_FAILED', expected: digest.value });
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('says so when there is no digest to check', async () => {
    await using server = await FileServer.start({ '/model.onnx': content });
    await using folder = await temporaryFolder();
    const patience = createPatience();
    await download(webFile(server.url('/model.onnx')), join(folder.path, 'model.onnx'), patience);
    expect(patience.warnings).toEqual([expect.stringContaining('no digest')]);
  });
});
