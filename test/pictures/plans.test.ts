import { describe, expect, it } from 'vitest';
import { inputFaults, type PictureInput, readPictureShape } from '../../src/pictures/plan/picture-input.ts';
import { PicturePlan, PictureSettings, planWithSettings } from '../../src/pictures/plan/picture-plan.ts';
import { planFromPreprocessorConfig } from '../../src/pictures/plan/plan-from-preprocessor-config.ts';
import { planFromUltralytics } from '../../src/pictures/plan/plan-from-ultralytics.ts';

const input = (shape: number[], datatype: PictureInput['datatype'] = 'FP32') => ({
  name: 'pixel_values',
  datatype,
  shape,
});
const free = input([-1, 3, -1, -1]);

/** What the plan says beside its defaults. */
function planOf(config: object, of = free) {
  const { plan, faults } = planFromPreprocessorConfig(config, of);
  if (plan === undefined) throw new Error(faults.join('; '));
  return plan;
}
const faultsOf = (config: object, of = free) => planFromPreprocessorConfig(config, of).faults;

const standard = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

describe('planFromPreprocessorConfig', () => {
  it('reads the keys of today', () => {
    const config = {
      image_processor_type: 'MobileNetV2ImageProcessor',
      do_resize: true,
      size: { shortest_edge: 256 },
      resample: 2,
      do_center_crop: true,
      crop_size: { height: 224, width: 224 },
      do_rescale: true,
      rescale_factor: 0.00392156862745098,
      do_normalize: true,
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
    };
    expect(planOf(config, input([-1, 3, 224, 224]))).toEqual(
      PicturePlan.parse({
        scale: 0.00392156862745098,
        ...standard,
        resize: { shortest: 256, filter: 'bilinear' },
        crop: [224, 224],
      }),
    );
  });

  it('reads the keys of old, and what a feature extractor does where they are silent', () => {
    const vit = {
      feature_extractor_type: 'ViTFeatureExtractor',
      do_normalize: true,
      do_resize: true,
      size: 224,
      resample: 2,
    };
    expect(planOf(vit)).toMatchObject({ scale: 1 / 255, ...standard, resize: { height: 224, width: 224 } });
    const deit = { feature_extractor_type: 'DeiTFeatureExtractor', size: 256, crop_size: 224 };
    expect(planOf(deit)).toMatchObject({ resize: { height: 256, width: 256, filter: 'bicubic' }, crop: [224, 224] });
    const detr = { feature_extractor_type: 'DetrFeatureExtractor', size: 800, max_size: 1333 };
    expect(planOf(detr, input([1, 3, 1333, 1333]))).toMatchObject({
      resize: { shortest: 800, longest: 1333 },
      pad: [1333, 1333],
    });
  });

  it.each([
    [
      'ConvNext below 384',
      { image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: 224 }, crop_pct: 0.875, resample: 3 },
      { resize: { shortest: 256, filter: 'bicubic' }, crop: [224, 224] },
    ],
    ['ConvNext from 384', { image_processor_type: 'ConvNextImageProcessor' }, { resize: { height: 384, width: 384 } }],
    [
      'PoolFormer',
      { image_processor_type: 'PoolFormerImageProcessor', crop_pct: 0.95, size: { shortest_edge: 224 } },
      { resize: { shortest: 235 }, crop: [224, 224] },
    ],
    ['LeViT', { image_processor_type: 'LevitImageProcessor' }, { resize: { shortest: 256, filter: 'bicubic' } }],
    [
      'MobileViT',
      { image_processor_type: 'MobileViTImageProcessor', size: { shortest_edge: 288 } },
      { color: 'BGR', crop: [256, 256], mean: [0, 0, 0] },
    ],
    [
      'YOLOS',
      { image_processor_type: 'YolosImageProcessorFast' },
      { resize: { shortest: 800, longest: 1333, divisor: 16 } },
    ],
    [
      'RT-DETR',
      { image_processor_type: 'RTDetrImageProcessor' },
      { resize: { height: 640, width: 640 }, mean: [0, 0, 0], scale: 1 / 255 },
    ],
    [
      'an offset of one',
      {
        size: { height: 4, width: 4 },
        image_mean: 0.5,
        image_std: 0.5,
        rescale_factor: 1 / 127.5,
        rescale_offset: true,
      },
      { mean: [1.5, 1.5, 1.5], scale: 1 / 127.5 },
    ],
    ['no resizing', { do_resize: false, do_rescale: false, do_normalize: false }, { scale: 1, mean: [0, 0, 0] }],
    ['Lanczos', { size: { height: 4, width: 4 }, resample: 1 }, { resize: { filter: 'lanczos' } }],
    ['a greatest size', { size: { max_height: 4, max_width: 8 } }, { resize: { within: [4, 8] } }],
    ['a divisor', { size_divisor: 32 }, { resize: { divisor: 32 } }],
  ])('understands %s', (_, config, expected) => {
    expect(planOf(config)).toMatchObject(expected);
  });

  it('tells the layout by the shape of the input', () => {
    expect(planOf({ size: { height: 4, width: 6 } }, input([1, 4, 6, 3])).layout).toBe('NHWC');
  });

  it.each([
    [{ size: 224 }, ['size: 224 is a square for some image processors and a shortest edge for others; say which']],
    [{ do_resize: true }, ['size: it is missing']],
    [{ size: { longest_edge: 4 } }, ['size: expected shortest_edge, height and width, or max_height and max_width']],
    [
      { size: { height: 4, width: 4 }, do_thumbnail: true, do_convert_rgb: true },
      ['do_thumbnail: this is not done here'],
    ],
    [{ size: { height: 4, width: 4 }, keep_aspect_ratio: true }, ['keep_aspect_ratio: this is not done here']],
    [
      { image_processor_type: 'PerceiverImageProcessorFast', size: { height: 4, width: 4 } },
      ['image_processor_type: what PerceiverImageProcessorFast does is not done here'],
    ],
    [{ size: { height: 4, width: 4 }, do_center_crop: true }, ['crop_size: it is missing']],
    [{ size: { height: 4, width: 4 }, image_mean: 0, image_std: 0 }, ['as std: Expected no zero']],
    [{ size: 'small', resample: 9 }, ['size: Invalid input', 'resample: Too big: expected number to be <=5']],
  ])('says what is at fault with %j', (config, expected) => {
    expect(faultsOf(config)).toEqual(expected.map((fault) => `preprocessor_config.json: ${fault}`));
  });

  it('says what does not fit the model', () => {
    const config = { size: { height: 4, width: 4 } };
    expect(faultsOf(config, input([1, 3, 5, 5]))?.[0]).toContain('has height and width 5 x 5, 4 x 4 are made');
    expect(faultsOf(config, input([1, 3, 4, 4], 'INT64'))?.[0]).toContain('is INT64, expected FP32, FP16, UINT8');
    expect(faultsOf(config, input([1, 3, 4, 4], 'UINT8'))?.[0]).toContain('is UINT8, expected scale 1');
    expect(faultsOf(config, input([1, 3, 4]))?.[0]).toContain('expected four dimensions');
    const shortest = { size: { shortest_edge: 4 }, do_center_crop: false };
    expect(faultsOf(shortest, input([1, 3, 4, 4]))?.[0]).toContain('depends on the picture');
  });
});

describe('planFromUltralytics', () => {
  it('makes a letterbox of the size of the model, else of imgsz', () => {
    const letterbox = (shape: number[]) => planFromUltralytics({ imgsz: '[320, 640]', task: 'detect' }, input(shape));
    expect(letterbox([1, 3, 160, 160]).plan).toMatchObject({
      scale: 1 / 255,
      resize: { letterbox: [160, 160], fill: 114, align: 'center', filter: 'cv-linear' },
    });
    expect(letterbox([-1, 3, -1, -1]).plan).toMatchObject({ resize: { letterbox: [320, 640] } });
    expect(planFromUltralytics({}, free).faults).toEqual([
      'the input pixel_values leaves its size free, and the metadata has no imgsz',
    ]);
  });

  it('crops the middle for classification', () => {
    expect(planFromUltralytics({ imgsz: '224', task: 'classify' }, free).plan).toMatchObject({
      resize: { shortest: 224, filter: 'bilinear' },
      crop: [224, 224],
      cropOffset: 'half-even',
    });
  });
});

describe('a plan', () => {
  it('refuses keys that it does not know, and more than one rule of size', () => {
    const isPlan = (plan: object) => PicturePlan.safeParse(plan).success;
    expect(isPlan({ resize: { shortest: 4, filter: 'lanczos' } })).toBe(true);
    expect(isPlan({ resize: { shortest: 4, height: 4, width: 4 } })).toBe(false);
    expect(isPlan({ colour: 'RGB' })).toBe(false);
    expect(isPlan({ std: [1, 0, 1] })).toBe(false);
    expect(isPlan({ alpha: 'white' })).toBe(false);
  });

  it('takes from the settings what they say, key by key', () => {
    const found = PicturePlan.parse({ scale: 1 / 255, resize: { shortest: 256 }, crop: [224, 224] });
    const settings = PictureSettings.parse({ color: 'BGR', crop: null, resize: { height: 4, width: 4 } });
    expect(planWithSettings(found, settings)).toEqual(
      PicturePlan.parse({ scale: 1 / 255, color: 'BGR', resize: { height: 4, width: 4 } }),
    );
    expect(planWithSettings(undefined, {})).toEqual(PicturePlan.parse({}));
  });

  it('fits an input, or does not', () => {
    const plan = PicturePlan.parse({ resize: { height: 4, width: 6 } });
    expect(inputFaults(plan, input([-1, 3, 4, 6], 'UINT8'))).toEqual([]);
    expect(inputFaults(plan, input([-1, 4, 6, 3]))).toEqual(['the input pixel_values is NHWC, the plan says NCHW']);
  });

  it('finds channels, height and width in a shape', () => {
    expect(readPictureShape([1, 3, -1, 5])).toEqual({ layout: 'NCHW', height: undefined, width: 5 });
    expect(readPictureShape([-1, 5, 6, 3])).toEqual({ layout: 'NHWC', height: 5, width: 6 });
    expect(readPictureShape([-1, 1, 28, 28])).toBeUndefined();
  });
});
