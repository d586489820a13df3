import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Digest, hashFile } from '../../src/sources/digest.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { partsEtag } from '../helpers/s3-server.ts';

async function hash(content: string | Buffer, digest: Digest) {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'file');
  await writeFile(path, content);
  return hashFile(path, digest);
}

describe('hashFile', () => {
  // Check values of the catalogue of parametrised CRC algorithms, and of the RFCs 1321 and 3174.
  it.each([
    ['crc64nvme', '123456789', 'ae8b14860a799888'],
    ['crc32', '123456789', 'cbf43926'],
    ['md5', 'abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['sha1', 'abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['sha256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['crc64nvme', '', '0000000000000000'],
    ['crc32', '', '00000000'],
  ] as const)('computes the %s of %j', async (algorithm, content, expected) => {
    expect(await hash(content, { algorithm, value: '' })).toBe(expected);
  });

  it.each([1, 999, 1000, 1001, 2000, 3_000_500])(
    'computes the ETag of an object of %d bytes in parts',
    async (size) => {
      const content = Buffer.alloc(size, 'weights');
      const digest = { algorithm: 'md5-of-parts', value: '', partBytes: 1000 } as const;
      expect(await hash(content, digest)).toBe(partsEtag(content));
    },
  );
});
