import { AppError, toAppError } from '../../errors.ts';
import { Picture } from '../../pictures/picture-body.ts';
import { sniffPictureFormat } from '../../pictures/picture-format.ts';
import { readPictureHeader } from '../../pictures/picture-header.ts';
import { type EncodeContext, whileWanted } from '../../serving/encode-context.ts';
import type { Tensors } from '../../tensor/tensor.ts';
import { type Domain, defineDomain } from '../define-domain.ts';
import { decode } from './decode.ts';
import { createPictureDecoder, type DecodePicture } from './decode-picture.ts';
import { exampleDigit } from './example-digit.ts';
import { normaliseDigit } from './normalise-digit.ts';
import { Recognition } from './schemas.ts';

/** Width and height of the pictures that the model takes. */
const side = 28;

/** Handwritten digits. One instance of the domain bounds how many pictures are decoded at the same time. */
export function createDigits(
  decodePicture: DecodePicture = createPictureDecoder(),
): Domain<typeof Picture, typeof Recognition> {
  return defineDomain({
    name: 'digits',
    model: 'digits',
    signature: {
      inputs: [{ name: 'image', datatype: 'UINT8', shape: [-1, side, side] }],
      outputs: [
        { name: 'digit', datatype: 'INT64', shape: [-1] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 10] },
      ],
    },
    optional: true,
    summary: 'Which handwritten digit is in this picture?',
    input: Picture,
    output: Recognition,
    target: 'digit',
    examples: [{ image: exampleDigit }],
    file: {
      field: 'file',
      mediaTypes: ['image/png', 'image/jpeg', 'image/webp', 'image/gif'],
      toInstance: (bytes) => ({ image: bytes }),
      describe: describePicture,
    },
    encode: (pictures, _model, context) => encode(pictures, decodePicture, context),
    decode,
  });
}

/** Format and size of a picture, as far as its header tells them. */
function describePicture(bytes: Uint8Array): object {
  const format = sniffPictureFormat(bytes);
  if (format === undefined) return {};
  const header = readPictureHeader(bytes, format);
  return { format, ...(header !== undefined && { width: header.width, height: header.height }) };
}

async function encode(
  pictures: readonly Picture[],
  decodePicture: DecodePicture,
  context: EncodeContext,
): Promise<Tensors> {
  const data = new Uint8Array(pictures.length * side * side);
  const decodeInto = async (image: Uint8Array, row: number, signal: AbortSignal) => {
    data.set(normaliseDigit(await decodePicture(image, { owner: context.signal, signal })), row * side * side);
  };
  const decoded = await whileWanted(context, (signal) =>
    Promise.allSettled(pictures.map(({ image }, row) => decodeInto(image, row, signal))),
  );
  const errors = decoded.map((result) => (result.status === 'rejected' ? toAppError(result.reason) : undefined));
  const first = errors.find((error) => error !== undefined);
  if (first !== undefined) throw withFaults(first, errors);
  return { image: { datatype: 'UINT8', shape: [pictures.length, side, side], data } };
}

/** The first error, naming every picture that is at fault. */
function withFaults(first: AppError, errors: readonly (AppError | undefined)[]): AppError {
  const faults = errors.flatMap((error, row) =>
    error === undefined ? [] : [{ location: [row, 'image'], type: error.code.toLowerCase(), message: error.message }],
  );
  const { message, received, expected, cause } = first;
  return new AppError(first.code, { message, received, expected, faults, cause });
}
