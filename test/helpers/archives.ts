import { crc32 } from 'node:zlib';

/** An entry of an archive, also of kinds that a proper program would not write. */
export interface ArchiveEntry {
  readonly path: string;
  readonly content?: string | Uint8Array;
  readonly kind?: 'file' | 'folder' | 'symlink' | 'hardlink' | 'device';
  readonly linkTo?: string;
}

const tarKinds = { file: '0', hardlink: '1', symlink: '2', device: '3', folder: '5' };

/** A tar file of the format ustar, as POSIX.1-1988 lays it out: whatever the entries say, unlike a tar program. */
export function makeTar(entries: readonly ArchiveEntry[]): Buffer {
  const blocks = entries.flatMap(({ path, content = '', kind = 'file', linkTo = '' }) => {
    const body = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(path, 0, 100);
    header.write('0000644\0', 100);
    header.write('0000000\0', 108);
    header.write('0000000\0', 116);
    header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write(tarKinds[kind], 156);
    header.write(linkTo, 157, 100);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const unixKinds = { file: 0o100644, folder: 0o40755, symlink: 0o120777, hardlink: 0o100644, device: 0o20644 };

/** A zip file as Unix writes it, with everything stored as it is. */
export function makeZip(entries: readonly ArchiveEntry[]): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { path, content = '', kind = 'file', linkTo } of entries) {
    const name = Buffer.from(path);
    const body = Buffer.from(linkTo ?? content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(body), 10);
    common.writeUInt32LE(body.length, 14);
    common.writeUInt32LE(body.length, 18);
    common.writeUInt16LE(name.length, 22);
    const header = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, body]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(unixKinds[kind] * 0x10000, 6);
    rest.writeUInt32LE(offset, 10);
    // Version 3.0 made on Unix (3).
    central.push(Buffer.from('PK\x01\x02\x1e\x03'), common, rest, name);
    local.push(header);
    offset += header.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...local, directory, Buffer.from('PK\x05\x06'), end]);
}
