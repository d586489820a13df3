import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzzBodies } from './bodies.ts';
import { fuzzDocumentation } from './documentation.ts';
import { fuzzShapes } from './fuzz-shapes.ts';

const usage = `Usage: npm run test:fuzz -- [--seed n] [--count n] [--seconds n] [--only n] [--bodies | --documentation | --shapes]

  --seed            Of everything that is random (default: of the clock)
  --count           Changed binary bodies to send (default: 20000)
  --seconds         How long to try what the documentation allows (default: 90)
  --only            Send the changed body of this number alone
  --bodies          Only the binary bodies
  --documentation   Only the documentation
  --shapes          Only requests that are large in some way
  --shape-count     How many of those (default: 400)
`;

/** Small models of every kind of tensor, beside those that ship. */
const fixtures = ['linear', 'two_inputs', 'strings', 'bools', 'big_ints', 'doubles', 'half', 'scalar', 'every_type'];

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    count: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '90' },
    only: { type: 'string' },
    bodies: { type: 'boolean', default: false },
    documentation: { type: 'boolean', default: false },
    shapes: { type: 'boolean', default: false },
    'shape-count': { type: 'string', default: '400' },
    help: { type: 'boolean', default: false },
  },
});
process.exitCode = values.help ? help() : await fuzz();

function help(): number {
  process.stdout.write(usage);
  return 0;
}

async function fuzz(): Promise<number> {
  const seed = Number(values.seed);
  const shipped = new URL('../../models', import.meta.url).pathname;
  process.stdout.write(`Seed ${seed}; --seed ${seed} does the same again\n`);
  let isGood = true;
  const everything = !values.bodies && !values.documentation && !values.shapes && values.only === undefined;
  if (everything || values.bodies || values.shapes || values.only !== undefined) {
    const modelsDir = await mkdtemp(join(tmpdir(), 'inferd-fuzz-'));
    for (const name of fixtures) {
      const file = new URL(`../fixtures/models/${name}.onnx`, import.meta.url).pathname;
      await mkdir(join(modelsDir, name, '1'), { recursive: true });
      await cp(file, join(modelsDir, name, '1', 'model.onnx'));
    }
    for (const name of ['iris', 'titanic', 'sentiment']) {
      await cp(join(shipped, name), join(modelsDir, name), { recursive: true });
    }
    const only = values.only === undefined ? undefined : Number(values.only);
    if (!values.shapes) isGood = await fuzzBodies({ modelsDir, seed, count: Number(values.count), only });
    if (everything || values.shapes) {
      isGood = (await fuzzShapes({ modelsDir, seed, count: Number(values['shape-count']) })) && isGood;
    }
    await rm(modelsDir, { recursive: true });
  }
  if (everything || values.documentation) {
    isGood = (await fuzzDocumentation({ modelsDir: shipped, seed, maxSeconds: Number(values.seconds) })) && isGood;
  }
  process.stdout.write(isGood ? 'All is well\n' : `Not all is well; seed ${seed}\n`);
  return isGood ? 0 : 1;
}
