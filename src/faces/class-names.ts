import { invalidFace } from './face-faults.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Class names by index, of `id2label` of a `config.json`.
 *
 * @throws AppError `FACE_INVALID` for an index without a name
 */
export function namesOfConfig(config: JsonObject | undefined): readonly string[] | undefined {
  const byIndex = config?.['id2label'];
  if (typeof byIndex !== 'object' || byIndex === null) return undefined;
  return listed(new Map(Object.entries(byIndex)), 'config.json: id2label');
}

/**
 * Class names by index, of `names` in the metadata that Ultralytics writes: a dictionary or a list, as Python prints it.
 *
 * @throws AppError `FACE_INVALID` for an index without a name
 */
export function namesOfMetadata(metadata: ReadonlyMap<string, string>): readonly string[] | undefined {
  const text = metadata.get('names');
  if (text === undefined) return undefined;
  const texts = String.raw`'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"`;
  if (text.trimStart().startsWith('[')) {
    return [...text.matchAll(new RegExp(texts, 'g'))].map(([, single, double]) =>
      unescapePython(single ?? double ?? ''),
    );
  }
  const entries = [...text.matchAll(new RegExp(String.raw`(\d+)\s*:\s*(?:${texts})`, 'g'))];
  const byIndex = new Map(
    entries.map(([, index = '', single, double]) => [index, unescapePython(single ?? double ?? '')]),
  );
  return byIndex.size === 0 ? undefined : listed(byIndex, 'metadata: names');
}

function listed(byIndex: ReadonlyMap<string, unknown>, where: string): readonly string[] {
  const faults: string[] = [];
  const names = Array.from({ length: byIndex.size }, (_, index) => {
    const name = byIndex.get(String(index));
    if (typeof name === 'string' || typeof name === 'number') return String(name);
    faults.push(
      name === undefined
        ? `${where} has ${byIndex.size} names, but none for ${index}`
        : `${where}.${index}: expected a text`,
    );
    return '';
  });
  if (faults.length > 0) throw invalidFace(faults.slice(0, 10));
  return names;
}

function unescapePython(text: string): string {
  return text.replaceAll(/\\(.)/g, '$1');
}
