import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPage } from '../helpers/page-examples.ts';
import { projectDir } from '../helpers/process.ts';

const { text: page, examples } = readPage('docs/domains.md');
const shown = [...page.matchAll(/\[[^\]]+\]\((examples\/[^)]+)\):\n\n```\w+\n([^`]*(?:`[^`]+)*?)```/g)].map(
  ([, path = '', content = '']) => ({ path, content }),
);

describe('docs/domains.md', () => {
  it.each(shown)('shows $path as it is', ({ path, content }) => {
    expect(content).toBe(readFileSync(join(projectDir, 'docs', path), 'utf8'));
  });

  it.each(['flower', 'lifeboat', 'mixed'])(
    'shows every file of the example %s but for its copy of the container',
    async (name) => {
      const files = await readdir(join(projectDir, 'docs/examples', name));
      const paths = files
        .map((file) => `examples/${name}/${file}`)
        .filter((path) => path !== 'examples/lifeboat/Dockerfile');
      expect(shown.map(({ path }) => path)).toEqual(expect.arrayContaining(paths));
    },
  );

  it('shows an answer for every curl', () => {
    expect(examples).toHaveLength(5);
    expect(page.match(/^curl/gm)).toHaveLength(examples.length);
  });

  it('has a container in five lines for each of them', async () => {
    const read = (name: string) => readFile(join(projectDir, 'docs/examples', name, 'Dockerfile'), 'utf8');
    const [flower, lifeboat] = await Promise.all(['flower', 'lifeboat'].map(read));
    expect(flower?.trimEnd().split('\n')).toHaveLength(5);
    expect(lifeboat?.split('\n').slice(0, 4)).toEqual(flower?.split('\n').slice(0, 4));
    expect(page).toContain(lifeboat?.split('\n')[4]);
  });
});
