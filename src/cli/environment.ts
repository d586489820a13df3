import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';

/** The environment variables, over those of the file `.env` if there is one. */
export function readEnvironment(): Record<string, string | undefined> {
  return { ...readEnvFile('.env'), ...process.env };
}

function readEnvFile(path: string): Record<string, string> {
  try {
    return parse(readFileSync(path));
  } catch {
    return {};
  }
}
