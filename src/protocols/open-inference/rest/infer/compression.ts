import { Readable } from 'node:stream';
import zlib from 'node:zlib';
import type { Coding } from '../../../../http/body/content-encoding.ts';

const encoders = { gzip: zlib.createGzip, deflate: zlib.createDeflate };

const chunkSize = 64 * 1024;

/**
 * Compresses parts that follow each other off the main thread, fast rather than small: tensors of measurements hardly
 * shrink at any effort. They are not put together before, which would take the event loop half a second for the largest.
 */
export async function compress(parts: readonly Uint8Array[], coding: Coding): Promise<Buffer[]> {
  const encoder = encoders[coding]({ level: zlib.constants.Z_BEST_SPEED, chunkSize });
  const chunks: Buffer[] = [];
  for await (const chunk of Readable.from(parts, { objectMode: false }).pipe(encoder)) chunks.push(chunk);
  return chunks;
}

/**
 * The coding that `Accept-Encoding` prefers; gzip where it likes gzip and deflate alike.
 *
 * @returns undefined for none: the client named none of them, or likes `identity` as well
 */
export function chooseCoding(header: string | undefined): Coding | undefined {
  if (header === undefined) return undefined;
  const weights = new Map(header.split(',').map(readWeight));
  const gzip = weights.get('gzip') ?? 0;
  const deflate = weights.get('deflate') ?? 0;
  const best = Math.max(gzip, deflate);
  if (best === 0 || best <= (weights.get('identity') ?? 0)) return undefined;
  return gzip >= deflate ? 'gzip' : 'deflate';
}

/** `gzip;q=0.5` as name and weight. */
function readWeight(part: string): [coding: string, weight: number] {
  const [coding = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = q === undefined ? 1 : Number(q.slice(2));
  return [coding, Number.isFinite(weight) ? weight : 0];
}
