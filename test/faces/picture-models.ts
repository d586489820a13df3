import { float, type Model, type Tensor } from '../helpers/onnx-model.ts';

function floats(name: string, dims: readonly number[], values: readonly number[]): Tensor {
  return { name, type: float, dims, raw: new Uint8Array(Float32Array.from(values).buffer) };
}

/** Logits are the means of the channels: the label is the colour that a picture has most of. */
export const colourClassifier: Model = {
  opsets: { '': 13 },
  inputs: { pixel_values: { element: float, shape: ['batch', 3, 8, 8] } },
  outputs: { logits: { element: float, shape: ['batch', 3] } },
  nodes: [
    {
      op: 'ReduceMean',
      inputs: ['pixel_values'],
      outputs: ['logits'],
      attributes: [
        { name: 'axes', ints: [2, 3] },
        { name: 'keepdims', int: 0 },
      ],
    },
  ],
};

/** The files beside it, as the Hub has them. */
export const colourFiles = {
  'config.json': {
    architectures: ['ViTForImageClassification'],
    id2label: { 0: 'red', 1: 'green', 2: 'blue' },
  },
  'preprocessor_config.json': {
    image_processor_type: 'ViTImageProcessor',
    size: { height: 8, width: 8 },
    // Sums of sixteenths are exact, in whichever order they are added.
    rescale_factor: 0.0625,
    do_normalize: false,
  },
};

/**
 * A detector that finds the same boxes in every picture, with the mean of its first channel as the probability of the first
 * one. Boxes are columns of x, y, width, height and two classes.
 */
export function boxDetector(metadata: Readonly<Record<string, string>>): Model {
  const boxes = [
    [10, 12, 8, 8, 0, 0],
    [11, 12, 8, 8, 0.5, 0],
    [24, 20, 4, 4, 0, 0.75],
    ...new Array<number[]>(5).fill([0, 0, 0, 0, 0, 0]),
  ];
  const columns = [0, 1, 2, 3, 4, 5].flatMap((row) => boxes.map((box) => box[row] ?? 0));
  const first = columns.map((_, at) => (at === 4 * boxes.length ? 1 : 0));
  const dims = [1, 6, boxes.length];
  return detector(metadata, floats('boxes', dims, columns), floats('first', dims, first));
}

/** One whose shapes say nothing: eight rows of six numbers are boxes of one class, or boxes with their class. */
export function unsureDetector(): Model {
  const zeros = new Array<number>(48).fill(0);
  return detector({}, floats('boxes', [1, 8, 6], zeros), floats('first', [1, 8, 6], zeros));
}

function detector(metadata: Readonly<Record<string, string>>, boxes: Tensor, first: Tensor): Model {
  const [, rows = 0, columns = 0] = boxes.dims;
  const mean = (axes: readonly number[], keepdims: 0 | 1) => ({
    op: 'ReduceMean',
    attributes: [
      { name: 'axes', ints: axes },
      { name: 'keepdims', int: keepdims },
    ],
  });
  return {
    opsets: { '': 13 },
    metadata,
    inputs: { images: { element: float, shape: ['batch', 3, 32, 32] } },
    outputs: { output0: { element: float, shape: ['batch', rows, columns] } },
    initializers: [boxes, first, floats('red', [1, 3, 1, 1], [3, 0, 0])],
    nodes: [
      { op: 'Mul', inputs: ['images', 'red'], outputs: ['reds'] },
      { ...mean([2, 3], 1), inputs: ['reds'], outputs: ['means'] },
      { ...mean([1], 0), inputs: ['means'], outputs: ['redness'] },
      { op: 'Mul', inputs: ['redness', 'first'], outputs: ['score'] },
      { op: 'Add', inputs: ['score', 'boxes'], outputs: ['output0'] },
    ],
  };
}

export const ultralytics = { task: 'detect', stride: '32', imgsz: '[32, 32]', names: "{0: 'cat', 1: 'dog'}" };
