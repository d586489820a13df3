import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AppError,
  defineDomain,
  float32,
  int64,
  loadFace,
  loadTokenizer,
  nms,
  pictures,
  pool,
  softmax,
  topK,
} from '../../src/index.ts';
import { writeFaceModels } from '../faces/write-face-models.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { projectDir } from '../helpers/process.ts';

const sea = readFileSync(join(projectDir, 'docs/examples/sea.png'));

describe('pictures', () => {
  it('are decoded, resized, and made a tensor of one size', async () => {
    const picture = await pictures.decode(sea);
    expect(picture).toMatchObject({ width: 48, height: 32, channels: 3 });
    expect(picture.data).toHaveLength(48 * 32 * 3);
    const small = await pictures.resize(picture, { shortest: 8, crop: [8, 8] });
    expect(small).toMatchObject({ width: 8, height: 8 });
    const tensor = pictures.toTensor([small, small], { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
    expect(tensor).toMatchObject({ datatype: 'FP32', shape: [2, 3, 8, 8] });
    const red = (small.data[0] ?? 0) / 255;
    expect(tensor.data[0]).toBeCloseTo((red - 0.5) / 0.5, 6);
  });

  it('leave the picture that is resized as it was', async () => {
    const picture = await pictures.decode(sea);
    const before = Uint8Array.from(picture.data);
    await pictures.resize(picture, { height: 5, width: 7, filter: 'lanczos' });
    expect(Uint8Array.from(picture.data)).toEqual(before);
  });

  it('are fitted into a letterbox, with what leads boxes back', async () => {
    const picture = await pictures.decode(sea);
    const { picture: boxed, gain, left, top } = await pictures.letterbox(picture, { height: 96, width: 96 });
    expect({ width: boxed.width, height: boxed.height, gain, left, top }).toEqual({
      width: 96,
      height: 96,
      gain: 2,
      left: 0,
      top: 16,
    });
    expect([...boxed.data.subarray(0, 3)]).toEqual([114, 114, 114]);
  });

  it('keep their levels as UINT8', async () => {
    const picture = await pictures.decode(sea);
    const tensor = pictures.toTensor(picture, { datatype: 'UINT8', layout: 'NHWC' });
    expect(tensor).toMatchObject({ datatype: 'UINT8', shape: [1, 32, 48, 3] });
    expect(tensor.data).toEqual(Uint8Array.from(picture.data));
  });

  it('are refused by what they are, options by what is wrong with them', async () => {
    await expect(pictures.decode(Buffer.from('<svg/>'))).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
    await expect(pictures.decode(sea, { limits: { maxBytes: 10 } })).rejects.toMatchObject({
      code: 'PICTURE_TOO_LARGE',
    });
    const picture = await pictures.decode(sea);
    await expect(pictures.resize(picture, { height: 0, width: 5 })).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('The options of a picture are wrong: resize'),
    });
    const other = await pictures.resize(picture, { height: 4, width: 4 });
    expect(() => pictures.toTensor([picture, other])).toThrow('The picture has 4 x 4 pixels, the first one 48 x 32');
  });
});

describe('loadTokenizer', () => {
  it('makes tokens of texts and pairs in their order, and tensors that are padded', async () => {
    await using folder = await temporaryFolder();
    await writeFaceModels(folder.path);
    using tokenizer = await loadTokenizer(join(folder.path, 'mood', '1'));
    expect(tokenizer.maxLength).toBe(32);
    const rows = await tokenizer.encode(['cats', { first: 'good', second: 'a film' }, 'dogs and']);
    expect(rows.map(({ ids }) => [...ids])).toEqual([
      [2, 4, 3],
      [2, 11, 3, 10, 13, 3],
      [2, 5, 8, 3],
    ]);
    const { input_ids: ids, attention_mask: mask, token_type_ids: types } = tokenizer.pad(rows);
    expect(ids).toMatchObject({ datatype: 'INT64', shape: [3, 6] });
    expect([...(mask?.data ?? [])].map(Number).slice(0, 6)).toEqual([1, 1, 1, 0, 0, 0]);
    expect([...(types?.data ?? [])].map(Number).slice(6, 12)).toEqual([0, 0, 0, 1, 1, 0]);
    await expect(tokenizer.encode(['cats', 'dogs '.repeat(40)])).rejects.toMatchObject({
      code: 'TEXT_TOO_LONG',
      faults: [{ location: [1] }],
    });
    const [cut] = await tokenizer.encode(['dogs '.repeat(40)], { tooLong: 'truncate' });
    expect(cut).toMatchObject({ count: 42, isTruncated: true });
    expect(() => tokenizer.pad(rows, { length: 4 })).toThrow('a text has 6 tokens, which cannot be padded to 4');
    tokenizer.close();
    await expect(tokenizer.encode(['cats'])).rejects.toMatchObject({ code: 'ENCODER_FAILED' });
  });

  it('refuses a folder without one, and holds no program open', async () => {
    await using folder = await temporaryFolder();
    await expect(loadTokenizer(folder.path)).rejects.toMatchObject({
      code: 'FACE_INVALID',
      message: expect.stringContaining('tokenizer.json is missing'),
    });
    await writeFaceModels(folder.path);
    const program = `import { loadTokenizer, pictures } from ${JSON.stringify(join(projectDir, 'src/index.ts'))};
      import { readFileSync } from 'node:fs';
      const tokenizer = await loadTokenizer(process.argv[1]);
      const [row] = await tokenizer.encode(['cats']);
      const picture = await pictures.resize(await pictures.decode(readFileSync(process.argv[2])), { height: 2, width: 2 });
      console.log(row.ids.length, picture.data.length);`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      program,
      join(folder.path, 'mood', '1'),
      join(projectDir, 'docs/examples/sea.png'),
    ]);
    expect(stdout).toBe('3 12\n');
  });
});

describe('loadFace', () => {
  it('gives the domain of a face, for another to be built on', async () => {
    await using folder = await temporaryFolder();
    await writeFaceModels(folder.path);
    await using face = await loadFace(join(folder.path, 'colours'));
    expect(face).toMatchObject({ kind: 'image-classification', domain: { name: 'colours', model: 'colours' } });
    const domain = defineDomain({ ...face.domain, name: 'hues' });
    const [example] = domain.examples;
    const instance = domain.input.parse(example);
    const signal = new AbortController().signal;
    const signature = { inputs: [], outputs: [] };
    const served = { name: 'colours', version: '1', signature, independentRows: true };
    const context = { signal, atDeadline: () => () => undefined };
    const inputs = await domain.encode([instance], served as never, context);
    expect(inputs).toMatchObject({ pixel_values: { shape: [1, 3, 8, 8] } });
    const outputs = { logits: float32([1, 3], [1, 2, 5]) };
    expect(domain.decode(outputs, [instance], served as never)).toMatchObject([{ label: 'blue' }]);
  });

  it('says why there is none', async () => {
    await using folder = await temporaryFolder();
    await expect(loadFace(folder.path)).rejects.toBeInstanceOf(AppError);
    const iris = join(projectDir, 'models/iris');
    await expect(loadFace(iris)).rejects.toMatchObject({
      code: 'FACE_INVALID',
      message: expect.stringContaining('has no face: '),
    });
  });
});

describe('pool', () => {
  const tokens = float32([2, 3, 2], [1, 2, 3, 4, 9, 9, 7, 7, 5, 6, 3, 2]);
  const mask = int64([2, 3], [1, 1, 0, 0, 1, 1]);

  it('makes a vector of the tokens that are no padding, on whichever side that is', () => {
    expect(pool(tokens, mask).map((vector) => [...vector])).toEqual([
      [2, 3],
      [4, 4],
    ]);
    expect(pool(tokens, mask, { mode: 'cls' }).map((vector) => [...vector])).toEqual([
      [1, 2],
      [5, 6],
    ]);
    const [unit] = pool(tokens, mask, { normalize: true });
    expect(Math.hypot(...(unit ?? []))).toBeCloseTo(1, 6);
  });

  it('refuses what does not fit together', () => {
    expect(() => pool(tokens, int64([2, 2], [1, 1, 1, 1]))).toThrow('a mask INT64 [2,2], expected INT64 [2,3]');
    expect(() => pool(mask, mask)).toThrow('expected floats of [texts, tokens, dimensions]');
  });
});

describe('nms', () => {
  const boxes = [0, 0, 10, 10, 1, 1, 10, 10, 20, 20, 30, 30, 0, 0, 10, 9];

  it('keeps the best of the boxes that overlap, by class unless it is agnostic', () => {
    const scores = [0.5, 0.9, 0.3, 0.8];
    expect(nms({ boxes, scores })).toEqual([1, 2]);
    expect(nms({ boxes, scores, classes: [0, 0, 0, 1] })).toEqual([1, 3, 2]);
    expect(nms({ boxes, scores, classes: [0, 0, 0, 1] }, { agnostic: true, threshold: 0.4 })).toEqual([1]);
    expect(nms({ boxes, scores }, { iou: 1, most: 2 })).toEqual([1, 3]);
  });

  it('refuses lists of unlike lengths', () => {
    expect(() => nms({ boxes, scores: [1] })).toThrow('1 scores need 4 numbers of boxes');
  });
});

describe('topK and softmax', () => {
  it('order and weigh numbers', () => {
    expect(topK([1, 5, Number.NaN, 5], 3)).toEqual([
      { index: 1, value: 5 },
      { index: 3, value: 5 },
      { index: 0, value: 1 },
    ]);
    expect([...softmax([1000, 1000])]).toEqual([0.5, 0.5]);
  });

  it('agree with a sort, and sum up to 1', () => {
    const numbers = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(numbers, fc.nat(60), (values, k) => {
        const expected = values.toSorted((a, b) => b - a).slice(0, k);
        expect(topK(values, k).map(({ value }) => value)).toEqual(expected);
        expect(softmax(values).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
      }),
    );
  });
});
