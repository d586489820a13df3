import { gzipSync } from 'node:zlib';

/** A request that is well-formed, or nearly, and large in some way. */
export interface ShapedRequest {
  readonly what: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Largest body, in bytes. */
export const mostBytes = 2 ** 20;

type Random = () => number;

/** Values that are large in one way each, as JSON, of about so many bytes. */
const jsonShapes: Readonly<Record<string, (bytes: number, random: Random) => string>> = {
  'list of numbers': (bytes) => `[${many(bytes, 4, (i) => `${i % 1000}`)}]`,
  'list of texts': (bytes) => `[${many(bytes, 5, (i) => `"${i % 100}"`)}]`,
  'list of nulls': (bytes) => `[${many(bytes, 5, () => 'null')}]`,
  'list of lists': (bytes) => `[${many(bytes, 3, () => '[]')}]`,
  'list of rows': (bytes) => `[${many(bytes, 17, () => '[1.5,2.5,3.5,4]')}]`,
  'list of objects': (bytes) => `[${many(bytes, 9, (i) => `{"a":${i % 10}}`)}]`,
  'objects with names of their own': (bytes) => `[${many(bytes, 14, (i) => `{"k${i}":1}`)}]`,
  'object of many names': (bytes) => `{${many(bytes, 14, (i) => `"k${i}":1`)}}`,
  'object of one name again and again': (bytes) => `{${many(bytes, 6, () => '"a":1')}}`,
  'deep lists': (bytes) => '['.repeat(bytes / 2) + ']'.repeat(bytes / 2),
  'deep objects': (bytes) => `${'{"a":'.repeat(bytes / 6)}1${'}'.repeat(bytes / 6)}`,
  'long text': (bytes) => `"${'a'.repeat(bytes)}"`,
  'text of escapes': (bytes) => `"${'\\u00e9'.repeat(bytes / 6)}"`,
  'long number': (bytes) => '1'.repeat(bytes),
  'numbers with exponents': (bytes) => `[${many(bytes, 9, () => '1.25e-10')}]`,
  'large whole numbers': (bytes) => `[${many(bytes, 20, () => '9007199254740993123')}]`,
  'tensors of the protocol': (bytes) =>
    `[${many(bytes, 60, (i) => `{"name":"n${i}","datatype":"FP32","shape":[1],"data":[1]}`)}]`,
  'instances of iris': (bytes) =>
    `[${many(bytes, 80, () => '{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}')}]`,
};

/** Where a value stands in a body. */
const jsonPlaces: readonly string[] = [
  '$',
  '{"instances":$}',
  '{"inputs":$}',
  '{"instances":[$]}',
  '{"dataframe_records":$}',
  '{"dataframe_split":{"columns":$,"data":[[1]]}}',
  '{"dataframe_split":{"columns":["a"],"data":$}}',
  '{"features":$}',
  '{"x":$}',
  '{"text":$}',
  '{"inputs":{"x":$}}',
  '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":$}]}',
  '{"inputs":[{"name":"x","datatype":"FP32","shape":$,"data":[1]}]}',
  '{"inputs":[{"name":$,"datatype":"FP32","shape":[1],"data":[1]}]}',
  '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":[1,2,3,4]}],"outputs":$}',
  '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":[1,2,3,4]}],"parameters":$}',
  '{"sepal_length":$,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}',
];

const paths: readonly string[] = [
  '/iris/predict',
  '/iris/predict/batch',
  '/titanic/predict',
  '/sentiment/predict/batch',
  '/models/iris/predict',
  '/models/linear/predict',
  '/models/strings/predict',
  '/models/nothing/predict',
  '/v1/models/iris:predict',
  '/v1/models/two_inputs:predict',
  '/v2/models/linear/infer',
  '/v2/models/strings/infer',
  '/v2/repository/index',
  '/v2/repository/models/linear/load',
  '/invocations',
  '/predict',
  '/nothing',
];

const others: readonly ((bytes: number, random: Random) => Pick<ShapedRequest, 'what' | 'headers' | 'body'>)[] = [
  (bytes) =>
    shape(
      'CSV of many rows',
      'text/csv',
      many(bytes, 4, () => '1,2', '\n'),
    ),
  (bytes) =>
    shape(
      'CSV of many columns',
      'text/csv',
      many(bytes, 5, (i) => `c${i % 1000}`),
    ),
  (bytes) => shape('CSV of quotes', 'text/csv', '"'.repeat(bytes)),
  (bytes) =>
    shape(
      'form of many fields',
      'application/x-www-form-urlencoded',
      many(bytes, 8, (i) => `k${i}=1`, '&'),
    ),
  (bytes) => shape('form of percent signs', 'application/x-www-form-urlencoded', `a=${'%41'.repeat(bytes / 3)}`),
  (bytes) => {
    const part = (i: number) => `--b\r\ncontent-disposition: form-data; name="f${i}"\r\n\r\n1\r\n`;
    return shape('upload of many fields', 'multipart/form-data; boundary=b', `${many(bytes, 60, part, '')}--b--\r\n`);
  },
  (bytes) => shape('bytes', 'application/octet-stream', '\0'.repeat(bytes)),
  (bytes) => shape('a picture that is none', 'image/png', '\x89PNG\r\n\x1a\n'.repeat(bytes / 8)),
];

/** The request of that number: a value, a place for it, a route, a size up to a mebibyte, sometimes compressed. */
export function shapedRequest(random: Random): ShapedRequest {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const bytes = Math.floor(mostBytes ** (0.6 + 0.4 * random()));
  const path = pick(paths);
  if (random() < 0.15) return { path, ...pick(others)(bytes, random) };
  const [name, make] = pick(Object.entries(jsonShapes));
  const place = pick(jsonPlaces);
  const isCompressed = random() < 0.15;
  // What is compressed may be sixty times as large when it is read.
  const json = place.replace('$', () => make(isCompressed ? bytes * 16 : bytes, random));
  const body = isCompressed ? gzipSync(json) : Buffer.from(json);
  return {
    what: `${name} in ${place}${isCompressed ? ', compressed' : ''}`,
    path,
    headers: { 'content-type': 'application/json', ...(isCompressed && { 'content-encoding': 'gzip' }) },
    body,
  };
}

function shape(what: string, type: string, text: string) {
  return { what, headers: { 'content-type': type }, body: Buffer.from(text, 'latin1') };
}

/** So many pieces, each of about `each` bytes with its comma, that they are `bytes` together. */
function many(bytes: number, each: number, piece: (index: number) => string, between = ','): string {
  return Array.from({ length: Math.max(1, Math.floor(bytes / each)) }, (_, index) => piece(index)).join(between);
}
