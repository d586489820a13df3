import { AppError, toAppError } from '../../errors.ts';
import type { Picture } from '../../pictures/picture-body.ts';
import type { PictureElements } from '../../pictures/picture-tensor.ts';
import type { PictureFrame } from '../../pictures/plan/picture-frame.ts';
import type { PreparedPicture } from '../../pictures/prepare-picture.ts';
import type { Size } from '../../pictures/raster.ts';
import { type EncodeContext, whileWanted } from '../../serving/encode-context.ts';
import type { Tensor, TensorSpec, Tensors } from '../../tensor/tensor.ts';
import type { FaceTools } from '../face-tools.ts';
import type { PictureSource } from './picture-source.ts';

/** Makes tensors of pictures, and remembers where the pixels of each have come to lie. */
export class PictureEncoder {
  readonly #source: PictureSource;
  readonly #tools: Pick<FaceTools, 'pictures'>;
  readonly #frames = new WeakMap<object, PictureFrame>();

  constructor(source: PictureSource, tools: Pick<FaceTools, 'pictures'>) {
    this.#source = source;
    this.#tools = tools;
  }

  /**
   * The input of the model, a row for each picture.
   *
   * @throws AppError of the first picture that is at fault, with the faults of all; `DEADLINE_EXCEEDED`, `CLIENT_GONE`
   */
  async encode(pictures: readonly Picture[], context: EncodeContext): Promise<Tensors> {
    const { plan, datatype, input, mask } = this.#source;
    const owner = context.signal;
    const prepare = async (picture: Picture, signal: AbortSignal): Promise<PreparedPicture> => {
      const prepared = await this.#tools.pictures.prepare(picture.image, plan, datatype, { owner, signal });
      this.#frames.set(picture, prepared.frame);
      return prepared;
    };
    const settled = await whileWanted(context, (signal) =>
      Promise.allSettled(pictures.map((picture) => prepare(picture, signal))),
    );
    const errors = settled.map((result) => (result.status === 'rejected' ? toAppError(result.reason) : undefined));
    const first = errors.find((error) => error !== undefined);
    if (first !== undefined) throw withFaults(first, errors);
    const prepared = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const canvas = commonCanvas(prepared);
    const shape = plan.layout === 'NCHW' ? [3, canvas.height, canvas.width] : [canvas.height, canvas.width, 3];
    const tensor = join(prepared, datatype, [prepared.length, ...shape]);
    return { [input]: tensor, ...(mask !== undefined && { [mask.name]: pixelMask(mask, prepared, canvas) }) };
  }

  /** Where the pixels of pictures that were encoded lie in the input. */
  framesOf(pictures: readonly unknown[]): readonly PictureFrame[] {
    return pictures.map((picture) => {
      const frame = typeof picture === 'object' && picture !== null ? this.#frames.get(picture) : undefined;
      if (frame === undefined) throw new AppError('INTERNAL', { message: 'The picture was not encoded here' });
      return frame;
    });
  }
}

/** Pictures that become tensors of unlike sizes cannot share a run. */
function commonCanvas(prepared: readonly PreparedPicture[]): Size {
  const canvas = prepared[0]?.frame.canvas ?? { width: 1, height: 1 };
  const faults = prepared.flatMap(({ frame }, row) => {
    const { width, height } = frame.canvas;
    if (width === canvas.width && height === canvas.height) return [];
    const message = `The picture becomes ${width} x ${height} pixels, the first one ${canvas.width} x ${canvas.height}: send them one by one`;
    return [{ location: [row, 'image'], type: 'unlike_size', message }];
  });
  const [first] = faults;
  if (first !== undefined) throw new AppError('VALIDATION_FAILED', { message: first.message, faults });
  return canvas;
}

function join(
  prepared: readonly PreparedPicture[],
  datatype: PictureSource['datatype'],
  shape: readonly number[],
): Tensor {
  const length = prepared.reduce((sum, { elements }) => sum + elements.length, 0);
  const fill = <Elements extends PictureElements>(data: Elements) => {
    let at = 0;
    for (const { elements } of prepared) {
      data.set(elements, at);
      at += elements.length;
    }
    return data;
  };
  switch (datatype) {
    case 'FP32':
      return { datatype, shape, data: fill(new Float32Array(length)) };
    case 'FP16':
      return { datatype, shape, data: fill(new Uint16Array(length)) };
    case 'UINT8':
      return { datatype, shape, data: fill(new Uint8Array(length)) };
  }
}

/** 1 for each pixel of the picture, 0 for those beside it, as DETR takes them. */
function pixelMask(
  { datatype, name }: TensorSpec,
  prepared: readonly PreparedPicture[],
  { width, height }: Size,
): Tensor {
  const shape = [prepared.length, height, width];
  const values = new Uint8Array(prepared.length * height * width);
  for (const [row, { frame }] of prepared.entries()) {
    for (let y = 0; y < frame.taken.height; y++) {
      const start = (row * height + y) * width;
      values.fill(1, start, start + frame.taken.width);
    }
  }
  switch (datatype) {
    case 'INT64':
      return { datatype, shape, data: BigInt64Array.from(values, BigInt) };
    case 'INT32':
      return { datatype, shape, data: Int32Array.from(values) };
    case 'BOOL':
      return { datatype, shape, data: values };
    default:
      throw new AppError('INTERNAL', { message: `The input ${name} is ${datatype}, expected INT64, INT32 or BOOL` });
  }
}

/** The first error, naming every picture that is at fault. */
function withFaults(first: AppError, errors: readonly (AppError | undefined)[]): AppError {
  const faults = errors.flatMap((error, row) =>
    error === undefined ? [] : [{ location: [row, 'image'], type: error.code.toLowerCase(), message: error.message }],
  );
  const { message, received, expected, cause } = first;
  return new AppError(first.code, { message, received, expected, faults, cause });
}
