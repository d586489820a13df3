import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { projectDir } from './process.ts';

const run = promisify(execFile);

export interface PageExample {
  readonly command: string;
  /** The JSON that stands under the command. */
  readonly answer: string;
}

/** The text of a page of the documentation, and each of its `curl`s with the answer that stands under it. */
export function readPage(path: string): { readonly text: string; readonly examples: readonly PageExample[] } {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const found = text.matchAll(/```sh\n(curl[^`]*?)\n```\n\n```json\n([^`]*?)\n```/g);
  return { text, examples: [...found].map(([, command = '', answer = '']) => ({ command, answer })) };
}

/**
 * Runs the command against the server and expects the answer of the page.
 *
 * @param varying names of members that are there, and another text each time
 */
export async function expectAnswer(
  { command, answer }: PageExample,
  address: string,
  varying: ReadonlySet<string> = new Set(),
): Promise<void> {
  const local = command.replaceAll('localhost:8080', new URL(address).host);
  const { stdout } = await run('bash', ['-c', local], { cwd: projectDir });
  expect(JSON.parse(stdout)).toEqual(alike(JSON.parse(answer), varying));
}

/** The same numbers up to what another processor may round. */
function alike(value: unknown, varying: ReadonlySet<string>): unknown {
  if (typeof value === 'number') return expect.closeTo(value, 4);
  if (Array.isArray(value)) return value.map((element) => alike(element, varying));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => {
    return [key, varying.has(key) ? expect.any(String) : alike(member, varying)];
  });
  return Object.fromEntries(members);
}
