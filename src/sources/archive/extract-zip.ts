import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { toAppError } from '../../errors.ts';
import { type Extraction, refused } from './extraction.ts';

/**
 * Unpacks a zip file.
 *
 * @throws AppError `MODELS_FETCH_FAILED` for an archive that is broken, or has more in it than folders and files
 */
export async function extractZip(path: string, extraction: Extraction): Promise<void> {
  let zip: ZipFile | undefined;
  try {
    zip = await openPromise(path, { strictFileNames: true, autoClose: false });
    for await (const entry of zip.eachEntry()) await addEntry(zip, entry, extraction);
  } catch (thrown) {
    const error = toAppError(thrown);
    throw error.code === 'MODELS_FETCH_FAILED' ? error : refused(`it is no whole zip file: ${error.message}`, thrown);
  } finally {
    zip?.close();
  }
}

async function addEntry(zip: ZipFile, entry: Entry, extraction: Extraction): Promise<void> {
  if (entry.fileName.endsWith('/')) return extraction.addFolder(entry.fileName);
  if (isSpecial(entry)) throw refused(`${JSON.stringify(entry.fileName)} is a link; expected folders and files`);
  if (entry.isEncrypted()) throw refused(`${JSON.stringify(entry.fileName)} is encrypted`);
  await extraction.addFile(entry.fileName, await zip.openReadStreamPromise(entry));
}

/** Archives made on Unix keep the kind of the file in the upper half of these attributes; 8 is a regular file. */
function isSpecial(entry: Entry): boolean {
  const kind = entry.externalFileAttributes >>> 28;
  return kind !== 0 && kind !== 8 && entry.versionMadeBy >>> 8 === 3;
}
