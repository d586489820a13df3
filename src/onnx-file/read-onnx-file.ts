import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { AppError } from '../errors.ts';
import { graph, localFunction } from './graph.ts';
import { embedded, entry, integer, message, text } from './message.ts';
import { ModelDescription } from './model-description.ts';
import type { OnnxFile } from './onnx-file.ts';
import { malformed, type Reading, WireReader } from './wire-reader.ts';

export type { OnnxFile, OnnxValue } from './onnx-file.ts';

const windowBytes = 64 * 2 ** 10;

/**
 * Reads what an ONNX file says about its model, whatever its size: tensors are skipped and never loaded.
 * Source: onnx.proto of https://github.com/onnx/onnx, message `ModelProto`.
 *
 * @throws AppError `MODEL_LOAD_FAILED` naming what is malformed, or why the file cannot be read
 */
export async function readOnnxFile(path: string): Promise<OnnxFile> {
  let file: FileHandle | undefined;
  try {
    // A pipe would be waited for.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile()) throw malformed('it is no regular file');
    return await readFrom(file, stat.size);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw malformed(error instanceof Error ? error.message : String(error), error);
  } finally {
    await file?.close();
  }
}

async function readFrom(file: FileHandle, size: number): Promise<OnnxFile> {
  const reader = new WireReader(size);
  const description = new ModelDescription();
  const reading = readModel(reader, size, description);
  for (let step = reading.next(); step.done !== true; step = reading.next()) {
    const start = reader.position;
    const wanted = Math.min(Math.max(step.value, windowBytes), size - start);
    reader.show(await readBytes(file, start, wanted), start);
  }
  return description.finish();
}

async function readBytes(file: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, start + filled);
    if (bytesRead === 0) throw malformed(`it became shorter while it was read (byte ${start + filled})`);
    filled += bytesRead;
  }
  return bytes;
}

function readModel(reader: WireReader, end: number, description: ModelDescription): Reading<void> {
  const readGraph = graph(description.mainGraph);
  return message(reader, end, {
    1: integer((value) => {
      description.irVersion = Number(value);
    }),
    2: text((value) => {
      description.producer = value;
    }),
    7: (field) => {
      description.hasGraph = true;
      return readGraph(field);
    },
    8: embedded(function* readOpset(field, opsetEnd) {
      let domain = '';
      let version = 0;
      yield* message(field, opsetEnd, {
        1: text((value) => {
          domain = value;
        }),
        2: integer((value) => {
          version = Number(value);
        }),
      });
      description.opsets.set(domain === 'ai.onnx' ? '' : domain, version);
    }),
    14: entry((key, value) => description.metadata.set(key, value)),
    25: (field) => localFunction(description.nextFunction())(field),
  });
}
