import { parseArgs } from 'node:util';
import { type CheckResult, examine } from '../conformance/conformance.ts';
import { resultLine, summarize, summaryLine } from '../conformance/report.ts';
import { readHeader } from './read-header.ts';

export const conformanceUsage = `Usage: inferd conformance <url> [options]

Examines a server of the Open Inference Protocol. The exit code is 0 only if no MUST fails.

Options:
  --model <name>    Examine this model (default: every model that is ready)
  --control         Unload and load the models too
  --quiet           Show only what fails, and the counts
  --json            Write the results as JSON
  --seed <number>   Of the random inputs (default: 1)
  --timeout <ms>    How long a reply may take (default: 30000)
  --header <text>   Send this header, such as "Authorization: Bearer …"; may be given again
`;

/** `inferd conformance`; the result is the exit code: 1 when a MUST fails, 2 when nothing could be examined. */
export async function conformance(args: readonly string[]): Promise<number> {
  const command = readCommand(args);
  if (command === undefined) {
    process.stderr.write(conformanceUsage);
    return 2;
  }
  const { address, values } = command;
  const print = (result: CheckResult) => {
    if (values.json || (values.quiet && result.verdict !== 'fails')) return;
    process.stdout.write(`${resultLine(result)}\n`);
  };
  try {
    const results = await examine(address, {
      model: values.model,
      mayControl: values.control,
      seed: Number(values.seed),
      timeoutMs: Number(values.timeout),
      headers: Object.fromEntries(values.header.map(readHeader)),
      onResult: print,
    });
    const summary = summarize(results);
    const json = { server: address.href, ...summary, results };
    process.stdout.write(values.json ? `${JSON.stringify(json, undefined, 2)}\n` : `\n${summaryLine(results)}\n`);
    return summary.mustFails === 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${address.href} cannot be examined: ${error instanceof Error ? error.message : error}\n`);
    return 2;
  }
}

function readCommand(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        model: { type: 'string' },
        control: { type: 'boolean', default: false },
        quiet: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        seed: { type: 'string', default: '1' },
        timeout: { type: 'string', default: '30000' },
        header: { type: 'string', multiple: true, default: [] },
      },
    });
    const [url, ...others] = positionals;
    const areNumbers = [values.seed, values.timeout].every((text) => /^\d{1,9}$/.test(text));
    if (url === undefined || others.length > 0 || !areNumbers || values.timeout === '0') return undefined;
    const address = new URL(url);
    return /^https?:$/.test(address.protocol) ? { address, values } : undefined;
  } catch {
    return undefined;
  }
}
