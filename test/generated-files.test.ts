import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generatedFiles } from '../scripts/generated-files.ts';

it.each([...generatedFiles()])('%s is what the source says (npm run gen writes it)', (path, content) => {
  expect(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')).toBe(content);
});
