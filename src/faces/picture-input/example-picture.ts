import { basename } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import type { Companions } from '../companions.ts';
import { invalidFace } from '../face-faults.ts';

const mostBytes = 20_000_000;

/**
 * The example of a face for pictures: of `template`, else of `example.json` ({"image": base64, or the name of a file beside
 * it}), else grey bands.
 *
 * @throws AppError `FACE_INVALID` for an `example.json` that names no file beside it
 */
export async function examplePicture(
  companions: Companions,
  template: Readonly<Record<string, string>> | undefined,
): Promise<{ image: string }> {
  const given = template ?? (await companions.object('example.json'));
  const image = given?.['image'];
  if (typeof image !== 'string') return { image: greyBands() };
  if (template !== undefined || !/\.(?:png|jpe?g|webp|gif)$/i.test(image)) return { image };
  if (image !== basename(image))
    throw invalidFace([`example.json: expected the name of a picture beside it, received ${image}`]);
  const bytes = await companions.beside('example.json', image, mostBytes);
  return { image: Buffer.from(bytes).toString('base64') };
}

const sidePx = 64;

/** A PNG of 64 × 64 pixels in eight levels of grey. Source: PNG specification (third edition), 11.2. */
function greyBands(): string {
  const rows = Buffer.alloc(sidePx * (sidePx + 1));
  for (let row = 0; row < sidePx; row++) {
    for (let column = 0; column < sidePx; column++) rows[row * (sidePx + 1) + 1 + column] = (column >> 3) * 32;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(sidePx, 0);
  header.writeUInt32BE(sidePx, 4);
  header[8] = 8;
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...chunks]).toString('base64');
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}
