import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Classification } from '../../src/faces/image-classification/classification.ts';
import { Detections } from '../../src/faces/object-detection/detection.ts';
import { type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { float } from '../helpers/onnx-model.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';
import { writeModel } from './classifier-model.ts';
import { boxDetector, colourClassifier, colourFiles, ultralytics, unsureDetector } from './picture-models.ts';

let folder: TemporaryFolder;
let server: TestServer;

async function writeColours(name: string, files: Readonly<Record<string, object>> = colourFiles, manifest?: object) {
  await writeModel(folder.path, name, colourClassifier, manifest === undefined ? {} : { manifest });
  for (const [file, content] of Object.entries(files)) {
    await writeFile(join(folder.path, name, '1', file), JSON.stringify(content));
  }
}

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeColours('colours');
  await writeColours('swapped', colourFiles, {
    face: { kind: 'image-classification', topK: 1, function: 'sigmoid', image: { color: 'BGR' } },
  });
  await writeColours('unprepared', { 'config.json': colourFiles['config.json'] });
  await writeColours('thumbnails', {
    ...colourFiles,
    'preprocessor_config.json': { size: { height: 9, width: 8 }, do_thumbnail: true },
  });
  await writeModel(folder.path, 'boxes', boxDetector(ultralytics));
  await writeModel(folder.path, 'one-box', {
    ...boxDetector(ultralytics),
    inputs: { images: { element: float, shape: [1, 3, 32, 32] } },
  });
  await writeModel(folder.path, 'unsure', unsureDetector(), {
    manifest: { face: { kind: 'object-detection', image: { resize: { letterbox: [32, 32] } } } },
  });
  server = await startReadyServer({ MODELS_DIR: folder.path });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

const plain = (background: string, width = 20, height = 10): Sharp =>
  sharp({ create: { width, height, channels: 3, background } });

async function send(path: string, body: Uint8Array | FormData, mediaType?: string) {
  const response = await fetch(new URL(path, server.address), {
    method: 'POST',
    ...(mediaType !== undefined && { headers: { 'content-type': mediaType } }),
    body: body instanceof FormData ? body : new Uint8Array(body),
  });
  return { status: response.status, body: await response.json() };
}

function form(...files: readonly Uint8Array[]): FormData {
  const body = new FormData();
  for (const file of files) body.append('file', new Blob([new Uint8Array(file)]), 'picture');
  return body;
}

describe('a face that says what a picture shows', () => {
  test('gives one answer for a picture in a form, as a body, in base64 and as a data: URL', async () => {
    const picture = await plain('#102030').png().toBuffer();
    const asForm = await send('/colours/predict', form(picture));
    expect(asForm).toMatchObject({
      status: 200,
      body: { label: 'blue', classes: [{ label: 'blue', index: 2 }, { label: 'green' }, { label: 'red' }] },
    });
    const { probability } = Classification.parse(asForm.body);
    const [red, green, blue] = [Math.exp(1), Math.exp(2), Math.exp(3)];
    expect(probability).toBeCloseTo(blue / (red + green + blue), 12);
    expect(await send('/colours/predict', picture, 'image/png')).toEqual(asForm);
    const image = picture.toString('base64');
    for (const text of [image, `data:image/png;base64,${image}`]) {
      expect((await postJson(server.address, '/colours/predict', { image: text })).body).toEqual(asForm.body);
    }
  });

  test('answers many in their order, and as many classes as are asked for', async () => {
    const files = await Promise.all(['red', 'lime', 'blue'].map((colour) => plain(colour).jpeg().toBuffer()));
    const { body } = await send('/colours/predict/batch?top_k=1', form(...files));
    const { predictions } = z.object({ predictions: z.array(Classification) }).parse(body);
    expect(predictions.map(({ label }) => label)).toEqual(['red', 'green', 'blue']);
    expect(predictions.map(({ classes }) => classes.length)).toEqual([1, 1, 1]);
  });

  test('takes from model.json what that says, key by key', async () => {
    const { body } = await send('/swapped/predict', await plain('red').png().toBuffer(), 'image/png');
    expect(body).toEqual({ label: 'blue', probability: expect.closeTo(1, 3), classes: [expect.anything()] });
  });

  test('refuses what is no picture, or a broken one, where the request has it', async () => {
    const picture = await plain('red', 300, 300).png().toBuffer();
    expect(await send('/colours/predict', Buffer.from('BM'), 'image/png')).toMatchObject({
      status: 415,
      body: { code: 'UNSUPPORTED_MEDIA_TYPE' },
    });
    expect(await send('/colours/predict', picture.subarray(0, 200), 'image/png')).toMatchObject({
      status: 422,
      body: { code: 'PICTURE_UNREADABLE' },
    });
    expect(await send('/colours/predict/batch', form(picture, picture.subarray(0, 200)))).toMatchObject({
      status: 422,
      body: { code: 'PICTURE_UNREADABLE', errors: [{ location: ['body', 'file', 1] }] },
    });
    expect((await postJson(server.address, '/colours/predict', { image: '%' })).status).toBe(422);
  });
});

describe('a face that finds objects', () => {
  const boxes = async (picture: Sharp, query = '') =>
    Detections.parse((await send(`/boxes/predict${query}`, await picture.png().toBuffer(), 'image/png')).body);

  test('gives boxes in the picture as it is shown', async () => {
    // The picture lies in the rows 8 to 24 of 32 x 32, at a quarter of its size.
    expect(await boxes(plain('black', 128, 64))).toEqual({
      width: 128,
      height: 64,
      detections: [
        { label: 'dog', index: 1, probability: 0.75, box: { x_min: 88, y_min: 40, x_max: 104, y_max: 56 } },
        { label: 'cat', index: 0, probability: 0.5, box: { x_min: 28, y_min: 0, x_max: 60, y_max: 32 } },
      ],
    });
  });

  test('names each broken picture of many, where the model takes one at a time', async () => {
    const image = (await plain('#ff0000').png().toBuffer()).toString('base64');
    const broken = Buffer.from('no picture').toString('base64');
    const cut = (await plain('#00ff00').png().toBuffer()).subarray(0, 60).toString('base64');
    const instances = Array.from({ length: 10 }, (_, index) => ({ image: { 3: broken, 7: cut }[index] ?? image }));
    const whole = await postJson(server.address, '/one-box/predict/batch', {
      instances: instances.filter((_, index) => index !== 3 && index !== 7),
    });
    expect(whole).toMatchObject({ status: 200, body: { predictions: { length: 8 } } });
    const { status, body } = await postJson(server.address, '/one-box/predict/batch', { instances });
    expect({ status, body }).toMatchObject({
      status: 415,
      body: {
        errors: [
          { location: ['body', 'instances', 3, 'image'], type: 'unsupported_media_type' },
          { location: ['body', 'instances', 7, 'image'], type: 'picture_unreadable' },
        ],
      },
    });
  });

  test('turns the picture as its camera says', async () => {
    const turned = await plain('black', 64, 128).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const { body } = await send('/boxes/predict', turned, 'image/jpeg');
    expect(body).toEqual(await boxes(plain('black', 128, 64)));
  });

  test('drops boxes that overlap a better one, and those below the threshold', async () => {
    const labels = ({ detections }: Detections) => detections.map(({ label, box }) => [label, box.x_min]);
    expect(labels(await boxes(plain('red', 32, 32)))).toEqual([
      ['cat', 6],
      ['dog', 22],
    ]);
    expect(labels(await boxes(plain('black', 32, 32), '?threshold=0.6'))).toEqual([['dog', 22]]);
    expect(labels(await boxes(plain('red', 32, 32), '?top_k=1'))).toEqual([['cat', 6]]);
  });
});

const get = async (path: string) => (await fetch(new URL(path, server.address))).json();

test('what is missing or at fault is named', async () => {
  expect(await get('/models/unprepared')).toMatchObject({
    versions: [{ face: { state: 'none', why: expect.stringContaining('preprocessor_config.json is missing') } }],
  });
  expect(await get('/models/thumbnails')).toMatchObject({
    versions: [{ face: { state: 'invalid', why: expect.stringContaining('do_thumbnail') } }],
  });
  expect(await get('/models/unsure')).toMatchObject({
    state: 'UNAVAILABLE',
    reason: expect.stringContaining('[-1,8,6] fit yolov10 and yolov5'),
  });
});

test('the documented example of each face succeeds', async () => {
  const body = z.object({ content: z.object({ 'application/json': z.object({ example: z.unknown() }) }) });
  const route = z.object({ post: z.object({ requestBody: body }) });
  const { paths } = z.object({ paths: z.record(z.string(), z.unknown()) }).parse(await get('/openapi.json'));
  for (const name of ['colours', 'swapped', 'boxes']) {
    const { content } = route.parse(paths[`/${name}/predict`]).post.requestBody;
    const answer = await postJson(server.address, `/${name}/predict`, content['application/json'].example);
    expect(answer).toMatchObject({ status: 200 });
  }
});
