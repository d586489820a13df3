import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { temporaryFolder } from './folder.ts';
import { freePort } from './free-port.ts';

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [seconds: number, value: string];
}

export interface Prometheus extends AsyncDisposable {
  /** The value of every series that the query gives now. */
  query(query: string): Promise<readonly Series[]>;
  /** The value of the one series that the query gives. */
  value(query: string): Promise<number>;
  /** Every alert rule by its name, with what is wrong with it; an empty text when it could be evaluated. */
  ruleErrors(): Promise<ReadonlyMap<string, string>>;
}

interface Rule {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
}

/** A real Prometheus that scrapes the server four times a second, once it has done so; ended with the scope. */
export async function startPrometheus(address: string, ruleFiles: readonly string[] = []): Promise<Prometheus> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const config = {
    global: { scrape_interval: '250ms', scrape_timeout: '250ms', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    scrape_configs: [{ job_name: 'inferd', static_configs: [{ targets: [new URL(address).host] }] }],
  };
  const configPath = join(folder.path, 'prometheus.yml');
  await writeFile(configPath, JSON.stringify(config));
  const child = spawn(
    'prometheus',
    [
      `--config.file=${configPath}`,
      `--storage.tsdb.path=${join(folder.path, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: 'inherit' },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const exit = once(child, 'exit');

  const query = async (text: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`);
    const answer = (await response.json()) as { status: string; error?: string; data: { result: Series[] } };
    if (answer.status !== 'success') throw new Error(`${text}: ${answer.error}`);
    return answer.data.result;
  };
  const value = async (text: string) => {
    const [series, ...others] = await query(text);
    if (others.length > 0) throw new Error(`${text} gives ${others.length + 1} series`);
    return Number(series?.value[1]);
  };
  const ruleErrors = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/rules`);
    const { data } = (await response.json()) as { data: { groups: { rules: Rule[] }[] } };
    const rules = data.groups.flatMap((group) => group.rules);
    return new Map(rules.map(({ name, health, lastError }) => [name, health === 'ok' ? '' : (lastError ?? health)]));
  };
  await expect.poll(() => value('up').catch(() => 0)).toBe(1);
  const dispose = async () => {
    child.kill('SIGTERM');
    await exit;
    await folder[Symbol.asyncDispose]();
  };
  return { query, value, ruleErrors, [Symbol.asyncDispose]: dispose };
}
