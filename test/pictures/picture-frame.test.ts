import { describe, expect, it } from 'vitest';
import { fixedCanvas, framePicture } from '../../src/pictures/plan/picture-frame.ts';
import { PicturePlan } from '../../src/pictures/plan/picture-plan.ts';
import type { Size } from '../../src/pictures/raster.ts';

const frame = (plan: object, width: number, height: number) => framePicture(PicturePlan.parse(plan), { width, height });
const size = ({ width, height }: Size) => [width, height];

describe('the size of a resized picture', () => {
  it.each([
    ['the shorter side, and the other rounded down', { shortest: 256 }, [640, 427], [383, 256]],
    ['a square', { shortest: 256 }, [300, 300], [256, 256]],
    ['a picture as high as it is to be', { shortest: 256 }, [999, 256], [999, 256]],
    [
      'the longest side where the shortest would make it longer',
      { shortest: 800, longest: 1333 },
      [1000, 400],
      [1333, 533],
    ],
    ['the shortest side where the longest allows', { shortest: 800, longest: 1333 }, [640, 480], [1066, 800]],
    ['multiples of a divisor', { shortest: 800, longest: 1333, divisor: 16 }, [640, 480], [1056, 800]],
    ['multiples of a divisor alone', { divisor: 32 }, [100, 63], [96, 32]],
    ['what a frame holds', { within: [100, 200] }, [333, 100], [200, 60]],
    ['height and width', { height: 10, width: 20 }, [333, 100], [20, 10]],
    ['a letterbox, halves to the even number', { letterbox: [640, 640] }, [512, 418], [640, 522]],
    ['no less than a pixel', { letterbox: [640, 640] }, [1, 5000], [1, 640]],
    ['no less than a pixel of a divisor', { divisor: 32 }, [100, 20], [96, 1]],
  ])('%s', (_, resize, [width = 0, height = 0], expected) => {
    expect(size(frame({ resize }, width, height).resized)).toEqual(expected);
  });
});

describe('the frame of a picture', () => {
  it('is cropped in the middle, rounded down, and reaches beyond a smaller picture', () => {
    expect(frame({ crop: [224, 224] }, 341, 257).taken).toEqual({ left: 58, top: 16, width: 224, height: 224 });
    expect(frame({ crop: [8, 4] }, 5, 5).taken).toEqual({ left: 0, top: -2, width: 4, height: 8 });
    expect(frame({ crop: [4, 4], cropOffset: 'half-even' }, 7, 9).taken).toMatchObject({ left: 2, top: 2 });
  });

  it('of a letterbox lies in its middle or its corner', () => {
    const resize = { letterbox: [160, 160] };
    expect(frame({ resize }, 161, 160)).toMatchObject({ taken: { left: 0, top: 0 }, fill: 114 });
    expect(frame({ resize }, 200, 411).taken).toMatchObject({ left: -41, top: 0 });
    expect(frame({ resize: { ...resize, align: 'corner' } }, 200, 411).taken).toMatchObject({ left: 0, top: 0 });
    expect(frame({ resize }, 200, 411).gain).toEqual({ x: 160 / 411, y: 160 / 411 });
  });

  it('is padded to the right and below', () => {
    const { taken, canvas } = frame({ resize: { shortest: 8, longest: 16 }, pad: [16, 16] }, 40, 20);
    expect([size(taken), size(canvas)]).toEqual([
      [16, 8],
      [16, 16],
    ]);
  });

  it('of a long and thin picture has the pixels of the crop alone, and without one is refused', () => {
    const resize = { shortest: 256 };
    expect(size(frame({ resize, crop: [224, 224] }, 1, 5000).canvas)).toEqual([224, 224]);
    expect(() => frame({ resize }, 1, 5000)).toThrow(expect.objectContaining({ code: 'PICTURE_TOO_LARGE' }));
  });

  it('is known without a picture when it is fixed', () => {
    const fixed = (plan: object) => fixedCanvas(PicturePlan.parse(plan));
    expect(fixed({ resize: { letterbox: [10, 20] } })).toEqual({ height: 10, width: 20 });
    expect(fixed({ resize: { shortest: 10 }, crop: [5, 6] })).toEqual({ height: 5, width: 6 });
    expect(fixed({ resize: { shortest: 10 }, pad: [50, 60] })).toEqual({ height: 50, width: 60 });
    expect(fixed({ resize: { height: 10, width: 20 } })).toEqual({ height: 10, width: 20 });
    expect(fixed({ resize: { shortest: 10 } })).toBeUndefined();
    expect(fixed({})).toBeUndefined();
  });
});
