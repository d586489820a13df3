import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { extractTar } from '../../../src/sources/archive/extract-tar.ts';
import { extractZip } from '../../../src/sources/archive/extract-zip.ts';
import { Extraction } from '../../../src/sources/archive/extraction.ts';
import { type ArchiveEntry, makeTar, makeZip } from '../../helpers/archives.ts';
import { temporaryFolder } from '../../helpers/folder.ts';

const formats = [
  ['tar', makeTar, extractTar],
  ['tar.gz', (entries: readonly ArchiveEntry[]) => gzipSync(makeTar(entries)), extractTar],
  ['zip', makeZip, extractZip],
] as const;

describe.each(formats)('an archive of the format %s', (_, make, extract) => {
  /** Unpacks into `out` of the folder, and tells what lies where. */
  async function unpack(archive: Buffer, maxBytes = 1_000_000) {
    const folder = await temporaryFolder();
    const path = join(folder.path, 'archive');
    await writeFile(path, archive);
    const out = join(folder.path, 'out');
    const result = extract(path, new Extraction(out, maxBytes));
    return { folder, out, result };
  }

  it('is unpacked', async () => {
    const large = 'weights '.repeat(50_000);
    const archive = make([
      { path: 'iris/', kind: 'folder' },
      { path: './iris/model.json', content: '{}' },
      { path: 'iris/1/model.onnx', content: large },
      { path: 'empty.onnx' },
    ]);
    const { folder, out, result } = await unpack(archive);
    await using _folder = folder;
    await result;
    expect(await readFile(join(out, 'iris/1/model.onnx'), 'utf8')).toBe(large);
    expect(await readFile(join(out, 'iris/model.json'), 'utf8')).toBe('{}');
    expect((await stat(join(out, 'empty.onnx'))).size).toBe(0);
  });

  it.each([
    ['leads upwards', [{ path: '../evil', content: 'x' }]],
    ['leads upwards in its middle', [{ path: 'a/../../evil', content: 'x' }]],
    ['is absolute', [{ path: '/tmp/inferd-evil', content: 'x' }]],
    ['has a backslash', [{ path: 'a\\..\\evil', content: 'x' }]],
    ['is a symbolic link', [{ path: 'evil', kind: 'symlink', linkTo: '/etc/passwd' }]],
    [
      'goes through a symbolic link',
      [
        { path: 'iris', kind: 'symlink', linkTo: '..' },
        { path: 'iris/evil', content: 'x' },
      ],
    ],
    [
      'comes twice',
      [
        { path: 'evil', content: 'a' },
        { path: 'evil', content: 'b' },
      ],
    ],
  ] satisfies [string, ArchiveEntry[]][])('is refused when a path %s', async (_, entries) => {
    const { folder, result } = await unpack(make(entries));
    await using _folder = folder;
    await expect(result).rejects.toThrow();
    expect(await readdir(folder.path)).not.toContain('evil');
    await expect(stat('/tmp/inferd-evil')).rejects.toThrow('ENOENT');
  });

  it('is refused as a device', async () => {
    const { folder, result } = await unpack(make([{ path: 'null', kind: 'device' }]));
    await using _folder = folder;
    await expect(result).rejects.toMatchObject({ code: 'MODELS_FETCH_FAILED' });
  });

  it('is refused when it unpacks to too much', async () => {
    const { folder, out, result } = await unpack(make([{ path: 'bomb', content: randomBytes(3_000_000) }]));
    await using _folder = folder;
    await expect(result).rejects.toThrow('unpacks to more than 1000000 bytes');
    expect((await stat(join(out, 'bomb'))).size).toBeLessThanOrEqual(1_000_000);
  });

  it.each([0.5, 0.8])('is refused when only %d of it is there', async (part) => {
    const archive = make([{ path: 'model.onnx', content: 'weights '.repeat(1000) }]);
    const { folder, result } = await unpack(archive.subarray(0, Math.floor(archive.length * part)));
    await using _folder = folder;
    await expect(result).rejects.toMatchObject({ code: 'MODELS_FETCH_FAILED' });
  });

  it('is refused when it is something else', async () => {
    const { folder, result } = await unpack(Buffer.from('<html>Not found</html>'.repeat(100)));
    await using _folder = folder;
    await expect(result).rejects.toMatchObject({ code: 'MODELS_FETCH_FAILED' });
  });
});
