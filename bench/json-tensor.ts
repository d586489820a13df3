/**
 * How fast a tensor of 150,000 numbers is read from JSON and written to it: `node bench/json-tensor.ts`.
 *
 * `floor` is JSON.parse alone, `scanner` the purpose-written alternative that was measured and not taken: one pass over the
 * bytes, straight into the typed array, with a fallback to `Number` where a double is not sure to round rightly.
 */
import { Console } from 'node:console';
import { readExactJson } from '../src/tensor/json/exact-json.ts';
import { tensorFromJson } from '../src/tensor/json/json-codec.ts';
import { tensorToJson } from '../src/tensor/json/json-output.ts';
import { parseJson } from '../src/tensor/json/parse-json.ts';

const elements = 150_000;
const rounds = 30;

const random = randomNumbers(12345);
const numbers = (make: (value: number) => unknown) => Array.from({ length: elements }, () => make(random()));
const bigNumber = (value: number) => JSON.rawJSON(`${BigInt(Math.floor(value * 2 ** 53)) * 1000n + 7n}`);
const rows = Array.from({ length: elements / 10 }, () => Array.from({ length: 10 }, () => Math.fround(random())));

const cases = [
  {
    name: 'FP32, 17 digits',
    datatype: 'FP32',
    shape: [elements],
    data: numbers((value) => Math.fround(value * 2 - 1)),
  },
  { name: 'FP32, nested by 10', datatype: 'FP32', shape: [elements / 10, 10], data: rows },
  {
    name: 'FP32, 4 digits',
    datatype: 'FP32',
    shape: [elements],
    data: numbers((value) => Math.round(value * 1e4) / 1e4),
  },
  { name: 'FP64, 17 digits', datatype: 'FP64', shape: [elements], data: numbers((value) => value) },
  { name: 'UINT8', datatype: 'UINT8', shape: [elements], data: numbers((value) => Math.floor(value * 256)) },
  { name: 'INT64, small', datatype: 'INT64', shape: [elements], data: numbers((value) => Math.floor(value * 30_000)) },
  { name: 'INT64, 19 digits', datatype: 'INT64', shape: [elements], data: numbers(bigNumber) },
];

const report = [];
for (const { name, datatype, shape, data } of cases) {
  const body = new TextEncoder().encode(JSON.stringify(data));
  const read = () => tensorFromJson({ datatype, shape, data: parseJson(body) }, 'x');
  const tensor = read();
  const target = new Float32Array(elements);
  const decoder = new TextDecoder();
  report.push({
    tensor: name,
    MB: (body.byteLength / 1e6).toFixed(2),
    'floor ms': bestMs(() => JSON.parse(decoder.decode(body))),
    'Float32Array.from ms': bestMs(() => Float32Array.from(JSON.parse(decoder.decode(body)).flat())),
    'scanner ms': bestMs(() => scanFloats(body, target)),
    'read ms': bestMs(read),
    'read MB/s': (body.byteLength / 1e3 / Number(bestMs(read))).toFixed(0),
    'exact reader ms': bestMs(() => readExactJson(decoder.decode(body))),
    'write ms': bestMs(() => JSON.stringify(tensorToJson(tensor))),
  });
}
new Console(process.stdout).table(report);

/** The best of many rounds: other programs on the machine can only make a round slower. */
function bestMs(run: () => unknown): string {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    run();
    best = Math.min(best, performance.now() - startMs);
  }
  return best.toFixed(2);
}

/** A linear congruential generator: every run has the same numbers from 0 to 1. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

/** Reads flat or nested lists of well-formed numbers; it checks nothing, so that a real one is slower. */
function scanFloats(bytes: Uint8Array, target: Float32Array): number {
  const decoder = new TextDecoder('latin1');
  let count = 0;
  let position = 0;
  while (position < bytes.length) {
    let code = bytes[position] ?? 0;
    if (code === 0x2c || code <= 0x20 || code === 0x5b || code === 0x5d) {
      position++;
      continue;
    }
    const start = position;
    const isNegative = code === 0x2d;
    if (isNegative) code = bytes[++position] ?? 0;
    let mantissa = 0;
    let exponent = 0;
    for (; code >= 0x30 && code <= 0x39; code = bytes[++position] ?? 0) mantissa = mantissa * 10 + code - 0x30;
    if (code === 0x2e) {
      code = bytes[++position] ?? 0;
      for (; code >= 0x30 && code <= 0x39; code = bytes[++position] ?? 0, exponent--)
        mantissa = mantissa * 10 + code - 0x30;
    }
    let isSure = code !== 0x65 && code !== 0x45 && exponent > -300;
    while (position < bytes.length && code !== 0x2c && code > 0x20 && code !== 0x5d) code = bytes[++position] ?? 0;
    const value = (isNegative ? -mantissa : mantissa) * 10 ** exponent;
    isSure &&= Math.fround(value * (1 - 2 ** -50)) === Math.fround(value * (1 + 2 ** -50));
    target[count++] = isSure ? value : Number(decoder.decode(bytes.subarray(start, position)));
  }
  return count;
}
