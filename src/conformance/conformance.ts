import type { CheckDescription } from './check.ts';
import { discoverModel, discoverModels, discoverServer } from './discover.ts';
import { HttpClient } from './http-client.ts';
import { suite } from './suite.ts';
import { NotMet, NotTried } from './verdict.ts';

export interface ConformanceOptions {
  /** The model to examine. @default every model that the server shows as ready */
  readonly model?: string | undefined;
  /** Whether the checks may unload and load models. @default false */
  readonly mayControl?: boolean;
  /** Of the random inputs. @default 1 */
  readonly seed?: number;
  /** How long a reply may take. @default 30,000 */
  readonly timeoutMs?: number;
  /** Headers of every request, such as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Told of every result as it comes. */
  readonly onResult?: (result: CheckResult) => void;
}

/** What came of a check. */
export interface CheckResult extends Pick<CheckDescription, 'id' | 'section' | 'level' | 'says'> {
  /** Undefined for a check of the server itself. */
  readonly model: string | undefined;
  readonly verdict: 'holds' | 'fails' | 'not tried';
  /** What came instead, or why it was not tried. */
  readonly reason: string | undefined;
}

/**
 * Examines a server of the Open Inference Protocol over HTTP. Models are not unloaded unless that is allowed.
 *
 * @param address of the server: the part before `/v2`
 * @throws Error when the server cannot be reached
 */
export async function examine(address: URL, options: ConformanceOptions = {}): Promise<readonly CheckResult[]> {
  const { mayControl = false, seed = 1, timeoutMs = 30_000, headers = {}, onResult } = options;
  const http = new HttpClient(address, { timeoutMs, headers });
  const server = await discoverServer(http, mayControl);
  const names = options.model === undefined ? await discoverModels(http) : [options.model];

  const results: CheckResult[] = [];
  const record = async (check: CheckDescription, model: string | undefined, run: () => Promise<void>) => {
    const { id, section, level, says } = check;
    const result = { id, section, level, says, model, ...(await verdictOf(run)) };
    results.push(result);
    onResult?.(result);
  };
  for (const check of suite.first) await record(check, undefined, () => check.run(server));
  for (const name of names) {
    const model = await discoverModel(server, name, seed);
    for (const check of suite.ofModels) await record(check, name, () => check.run(model));
  }
  for (const check of suite.last) await record(check, undefined, () => check.run(server));
  return results;
}

async function verdictOf(run: () => Promise<void>): Promise<Pick<CheckResult, 'verdict' | 'reason'>> {
  try {
    await run();
    return { verdict: 'holds', reason: undefined };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof NotTried) return { verdict: 'not tried', reason };
    return { verdict: 'fails', reason: error instanceof NotMet ? reason : `there was no whole answer: ${reason}` };
  }
}
