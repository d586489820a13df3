import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { Parser, type ReadEntry } from 'tar';
import { type Extraction, refused } from './extraction.ts';

/**
 * Unpacks a tar file, packed by gzip or not.
 *
 * @throws AppError `MODELS_FETCH_FAILED` for an archive that is broken, or has more in it than folders and files
 */
export async function extractTar(path: string, extraction: Extraction): Promise<void> {
  const failure = new AbortController();
  let written = Promise.resolve();
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      written = written.then(() => addEntry(entry, extraction));
      written.catch((thrown: unknown) => failure.abort(thrown));
    },
  });
  parser.on('error', (error: unknown) => failure.abort(refused('it is no whole tar file', error)));
  const ended = once(parser, 'end', { signal: failure.signal });
  ended.catch(() => undefined);

  try {
    for await (const chunk of createReadStream(path, { signal: failure.signal })) {
      if (!parser.write(chunk)) await once(parser, 'drain', { signal: failure.signal });
    }
    parser.end();
    await ended;
    await written;
  } catch (thrown) {
    throw failure.signal.aborted ? failure.signal.reason : thrown;
  }
}

async function addEntry(entry: ReadEntry, extraction: Extraction): Promise<void> {
  switch (entry.type) {
    case 'Directory':
      entry.resume();
      return extraction.addFolder(entry.path);
    case 'File':
    case 'OldFile':
    case 'ContiguousFile':
      return extraction.addFile(entry.path, entry);
    default:
      // A link can name a file outside, or make a later entry land there.
      throw refused(`${JSON.stringify(entry.path)} is a ${entry.type}; expected folders and files`);
  }
}
