import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it, test } from 'vitest';
import { z } from 'zod';

const ruleSchema = z.object({
  name: z.string(),
  to: z.looseObject({ pathNot: z.union([z.string(), z.array(z.string())]).default([]) }),
});
const { forbidden } = z
  .object({ forbidden: z.array(ruleSchema) })
  .parse(createRequire(import.meta.url)('../.dependency-cruiser.cjs'));

/** What the rules of a kind allow, by room. */
function allowedBy(kind: 'imports' | 'packages', prefix: RegExp): Map<string, string[]> {
  const ofKind = forbidden.filter(({ name }) => name.endsWith(`-${kind}`) && name !== 'no-unlisted-packages');
  return new Map(
    ofKind.map(({ name, to }) => [
      name.slice(0, -kind.length - 1),
      [to.pathNot].flat().map((path) => path.replace(prefix, '').replace(/\(.*|\/$/, '')),
    ]),
  );
}

const page = readFileSync(new URL('../docs/architecture.md', import.meta.url), 'utf8');

/** The rows of the table of rooms, without the slash or the ending of a room's name. */
const rows = page.matchAll(/^\| `([^`]+)` \|[^|]*\| ([^|]*) \| ([^|]*) \|$/gm);
const table = [...rows].map(([, room = '', rooms = '', packages = '']) => ({
  room: room.replace(/\/$|\.ts$/, ''),
  rooms: rooms === 'nothing' ? [] : rooms.split(', '),
  packages: packages === 'none' ? [] : packages.split(', '),
}));
const ruled = table.filter(({ rooms }) => rooms[0] !== 'everything');

describe('the table of rooms in docs/architecture.md', () => {
  it('has every file and folder of src', () => {
    const entries = readdirSync(new URL('../src', import.meta.url)).map((entry) => entry.replace(/\.ts$/, ''));
    const rooms = table.map(({ room }) => room).filter((room) => room !== '../bin');
    expect(rooms.toSorted()).toEqual([...new Set(entries)].toSorted());
  });

  it('says of every room what the import rules allow', () => {
    const rules = allowedBy('imports', /^\^src\//);
    expect(ruled.map(({ room }) => room).toSorted()).toEqual([...rules.keys()].toSorted());
    for (const { room, rooms } of ruled) {
      const allowed = rules.get(room)?.filter((other) => other !== room);
      expect(rooms.toSorted(), room).toEqual(allowed?.toSorted());
    }
  });

  it('says of every room which packages the rules allow', () => {
    const rules = allowedBy('packages', /^node_modules\//);
    for (const { room, packages } of table) {
      expect(packages.toSorted(), room).toEqual(rules.get(room)?.toSorted() ?? ['any']);
    }
  });
});

test('plugins are given the options that they declare, not everything there is', () => {
  const app = readFileSync(new URL('../src/app.ts', import.meta.url), 'utf8');
  expect(app).not.toMatch(/\.\.\.(settings|services)\b|[(,] ?settings[,)]/);
});
