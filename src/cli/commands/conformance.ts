import { z } from 'zod';
import { type CheckResult, examine } from '../../conformance/conformance.ts';
import { resultLine, summarize, summaryLine } from '../../conformance/report.ts';
import { queryNumber } from '../../http/terms/query-number.ts';
import { defineCommand, flag, list, text } from '../arguments/command.ts';
import { headers } from '../arguments/header.ts';

const address = z.url({
  protocol: /^https?$/,
  error: 'Expected the address of a server, such as http://localhost:8080',
});
const digits = (least: number) => queryNumber(z.number().int().min(least).max(999_999_999));

const options = z.object({
  model: text('<name>', 'Examine this model (default: every model that is ready)', z.string().optional()),
  control: flag('Unload and load the models too'),
  quiet: flag('Show only what fails, and the counts'),
  json: flag('Write the results as JSON'),
  seed: text('<number>', 'Of the random inputs (default: 1)', digits(0).default(1)),
  timeout: text('<ms>', 'How long a reply may take (default: 30000)', digits(1).default(30_000)),
  header: list('<text>', 'Send this header, such as "Authorization: Bearer …"; may be given again', headers),
});

/** Examines a server; the exit code is 1 when a MUST fails, 2 when nothing could be examined. */
export const conformanceCommand = defineCommand({
  name: 'conformance',
  synopsis: '<url>',
  about: 'Examines a server of the Open Inference Protocol. The exit code is 0 only if no MUST fails.',
  options,
  operands: z.tuple([address], 'Expected the address of a server'),
  run: (values, [url]) => conformance(new URL(url), values),
});

async function conformance(server: URL, values: z.output<typeof options>): Promise<number> {
  const print = (result: CheckResult) => {
    if (values.json || (values.quiet && result.verdict !== 'fails')) return;
    process.stdout.write(`${resultLine(result)}\n`);
  };
  try {
    const results = await examine(server, {
      model: values.model,
      mayControl: values.control,
      seed: values.seed,
      timeoutMs: values.timeout,
      headers: values.header,
      onResult: print,
    });
    const summary = summarize(results);
    const json = { server: server.href, ...summary, results };
    process.stdout.write(values.json ? `${JSON.stringify(json, undefined, 2)}\n` : `\n${summaryLine(results)}\n`);
    return summary.mustFails === 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${server.href} cannot be examined: ${error instanceof Error ? error.message : error}\n`);
    return 2;
  }
}
