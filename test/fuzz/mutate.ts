import { deflateSync, gzipSync } from 'node:zlib';
import type { EncodedBody } from '../../src/conformance/infer-request.ts';
import { jsonLengthHeader } from '../../src/conformance/infer-request.ts';

/** Numbers from 0 to 1, exclusive. */
export type Random = () => number;

/** A request in the making: its JSON can still be changed. */
export interface Draft {
  json: Record<string, unknown>;
  /** Text that replaces the JSON. */
  text?: string;
  sections: Uint8Array;
  headers: Record<string, string>;
  /** Set at the end: changes of the whole body. */
  finish: ((body: Uint8Array) => Uint8Array)[];
}

export function pick<T>(random: Random, list: readonly T[]): T {
  const element = list[Math.floor(random() * list.length)];
  if (element === undefined) throw new RangeError('Nothing to pick from');
  return element;
}

/** A later change of the same body must not reach the list. */
function pickCopy(random: Random, list: readonly unknown[]): unknown {
  return structuredClone(pick(random, list));
}

const whole = (random: Random, end: number) => Math.floor(random() * end);
const bytes = (random: Random, length: number) => Uint8Array.from({ length }, () => whole(random, 256));

const strangeShapes: readonly unknown[] = [
  ...[[], [0], [-1], [1.5], [2 ** 31 - 1], [2 ** 53], [1e308], ['4'], [null], 'x', null, {}],
  ...[[2 ** 31, 2 ** 31], [2 ** 16, 2 ** 16, 2 ** 16, 2 ** 16], [0, 2 ** 31 - 1], new Array(5000).fill(1)],
];
const datatypes = 'BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 BF16 FP32 FP64 BYTES STRING'.split(' ');
const strangeSizes: readonly unknown[] = [0, 1, -1, 1.5, 2 ** 31, 2 ** 53, '8', null, true, [], 1e308];
const strangeLengths = [
  '0',
  '1',
  '-1',
  '1e3',
  'ten',
  '',
  '4294967296',
  '9007199254740993',
  '99999999999999999999',
  ' 5',
  '0x10',
];
const strangeValues: readonly unknown[] = [
  ...[null, true, 0, -0, 1e308, 2 ** 53, '', 'x', '__proto__', '\u0000', '\ud800', {}, [], [[]], [null], { a: [{}] }],
  ...['x'.repeat(10_000), new Array(1000).fill(0), { __proto__: null, constructor: 1, toString: 2 }],
];
const patterns = [
  [0xff], // NaN of every float, -1 of every integer
  [0x00, 0x00, 0xc0, 0x7f], // NaN of FP32
  [0x00, 0x00, 0x80, 0x7f], // infinity
  [0x01, 0x00, 0x00, 0x00], // a denormal number, a text of one byte
  [0x80],
];

let bomb: Buffer | undefined;

/** 256 MB of zeros in 256 KB. */
function gzipBomb(): Buffer {
  bomb ??= gzipSync(Buffer.alloc(256 * 1024 * 1024));
  return bomb;
}

type Mutation = (draft: Draft, random: Random) => void;

const mutations: readonly Mutation[] = [
  function truncate({ finish }, random) {
    const part = random();
    finish.push((body) => body.subarray(0, Math.floor(part * body.byteLength)));
  },
  function append({ finish }, random) {
    const more = bytes(random, 1 + whole(random, 64));
    finish.push((body) => Buffer.concat([body, more]));
  },
  function flip({ finish }, random) {
    const places = Array.from({ length: 1 + whole(random, 8) }, () => [random(), whole(random, 256)] as const);
    finish.push((body) => {
      const changed = Uint8Array.from(body);
      for (const [place, value] of places) changed[Math.floor(place * changed.byteLength)] = value;
      return changed;
    });
  },
  function lieAboutLength({ headers }, random) {
    headers[jsonLengthHeader] = pick(random, strangeLengths);
  },
  function shiftLength({ headers }, random) {
    const by = pick(random, [-100, -4, -1, 1, 2, 8, 1000]);
    headers[jsonLengthHeader] = String(Number(headers[jsonLengthHeader] ?? 0) + by);
  },
  function forgetLength({ headers }) {
    delete headers[jsonLengthHeader];
  },
  function lieAboutSize(draft, random) {
    changeInput(draft, random, (input) => ({
      ...input,
      parameters: { binary_data_size: pickCopy(random, strangeSizes) },
    }));
  },
  function reshape(draft, random) {
    changeInput(draft, random, (input) => ({ ...input, shape: pickCopy(random, strangeShapes) }));
  },
  function retype(draft, random) {
    changeInput(draft, random, (input) => ({ ...input, datatype: pick(random, datatypes) }));
  },
  function rename(draft, random) {
    const name = pick(random, ['__proto__', 'constructor', '', 'x'.repeat(5000), 7, null]);
    changeInput(draft, random, (input) => ({ ...input, name }));
  },
  function repeat({ json }) {
    const inputs = json['inputs'];
    if (Array.isArray(inputs)) json['inputs'] = [...inputs, ...inputs];
  },
  function fill(draft, random) {
    const pattern = pick(random, patterns);
    draft.sections = Uint8Array.from(draft.sections, (_, index) => pattern[index % pattern.length] ?? 0);
  },
  function scramble(draft, random) {
    draft.sections = bytes(random, draft.sections.byteLength);
  },
  function sayNumbers(draft, random) {
    const data = pick(random, [['NaN'], [1e39], [2 ** 64], [-1], [[1], [1, 2]], [null], ['x'], 'x', {}, 0]);
    changeInput(draft, random, ({ parameters: _, ...input }) => ({ ...input, data }));
  },
  function replaceMember(draft, random) {
    replaceSomewhere(draft.json, random, pickCopy(random, strangeValues));
  },
  function askOutputs({ json }, random) {
    const parameters = {
      binary_data: pick<unknown>(random, [true, false, 1, null]),
      classification: pick(random, [1, 0, -1, 1e9]),
    };
    json['outputs'] = pick<unknown>(random, [
      [],
      [{}],
      [{ name: '__proto__', parameters }],
      [{ name: 'y', parameters }],
      'all',
      null,
    ]);
  },
  function nest(draft, random) {
    const depth = pick(random, [90, 101, 1000, 100_000]);
    draft.text = `{"inputs":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  },
  function writeBareTokens(draft) {
    draft.text = JSON.stringify(draft.json).replace(/\d+/, 'NaN');
  },
  function makeNoise({ finish }, random) {
    const noise = bytes(random, whole(random, 2000));
    finish.push(() => noise);
  },
  function compress({ headers, finish }, random) {
    const coding = pick(random, ['gzip', 'deflate', 'br', 'gzip, gzip', 'identity']);
    headers['content-encoding'] = coding;
    const isHonest = random() < 0.7;
    if (isHonest && coding === 'gzip') finish.push((body) => gzipSync(body));
    if (isHonest && coding === 'deflate') finish.push((body) => deflateSync(body));
  },
  function explode({ headers, finish }, random) {
    // It takes the server a while to read as much as it allows.
    if (random() > 0.05) return;
    headers['content-encoding'] = 'gzip';
    finish.push(() => gzipBomb());
  },
];

/** Changes the request in one to three ways. */
export function mutate(draft: Draft, random: Random): string[] {
  const chosen = Array.from({ length: 1 + whole(random, 3) }, () => pick(random, mutations));
  for (const mutation of chosen) mutation(draft, random);
  return chosen.map(({ name }) => name);
}

/** The body as it goes over the wire. Headers that tell the length of the JSON are right unless they were changed. */
export function encodeDraft({ json, text, sections, headers, finish }: Draft): EncodedBody {
  let body: Uint8Array = Buffer.concat([Buffer.from(text ?? JSON.stringify(json)), sections]);
  for (const change of finish) body = change(body);
  return { headers, body };
}

function changeInput(
  { json }: Draft,
  random: Random,
  change: (input: Record<string, unknown>) => Record<string, unknown>,
): void {
  const inputs = json['inputs'];
  if (!Array.isArray(inputs) || inputs.length === 0) return;
  const place = whole(random, inputs.length);
  // Another change may have put anything in its place.
  json['inputs'] = inputs.map((input, index) => (index === place ? change(Object(input)) : input));
}

/** Replaces a member at a random place of the JSON. */
function replaceSomewhere(json: Record<string, unknown>, random: Random, value: unknown): void {
  let place = json;
  for (;;) {
    const keys = Object.keys(place);
    if (keys.length === 0) return;
    const key = pick(random, keys);
    const member = place[key];
    const isLeaf = typeof member !== 'object' || member === null || random() < 0.3;
    if (isLeaf) {
      place[key] = value;
      return;
    }
    place = member as Record<string, unknown>;
  }
}
