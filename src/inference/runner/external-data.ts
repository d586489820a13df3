import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Most bytes that one call of the system reads. */
const mostAtOnce = 2 ** 30;

/** Reads the external data of a model, as ONNX Runtime takes it instead of mapping the files. */
export function readExternalData(
  modelPath: string,
  locations: readonly string[],
): { path: string; data: Uint8Array<ArrayBuffer> }[] {
  return locations.map((location) => ({ path: location, data: readWhole(join(dirname(modelPath), location)) }));
}

function readWhole(path: string): Uint8Array<ArrayBuffer> {
  const fd = openSync(path, 'r');
  try {
    const data = new Uint8Array(fstatSync(fd).size);
    let filled = 0;
    while (filled < data.length) {
      const bytes = readSync(fd, data, filled, Math.min(mostAtOnce, data.length - filled), filled);
      if (bytes === 0) throw new Error(`${path} became shorter while it was read`);
      filled += bytes;
    }
    return data;
  } finally {
    closeSync(fd);
  }
}
