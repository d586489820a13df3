import type { BoundVersion } from '../assembled.ts';
import type { Members } from './lease.ts';

/**
 * The way from a model to itself that there would be if it stood on those versions; undefined when there is none. Models
 * come and change one by one, so that what is loaded may close a circle that no look at the files has shown.
 */
export function circleThrough(
  name: string,
  members: readonly BoundVersion[],
  { find }: Pick<Members, 'find'>,
): readonly string[] | undefined {
  const seen = new Set<string>();
  const visit = (bound: readonly BoundVersion[], path: readonly string[]): readonly string[] | undefined => {
    for (const member of bound) {
      const next = [...path, member.name];
      if (member.name === name) return next;
      const id = `${member.name}/${member.version}`;
      if (seen.has(id)) continue;
      seen.add(id);
      const circle = visit(find(member.name, member.version)?.binding?.members ?? [], next);
      if (circle !== undefined) return circle;
    }
    return undefined;
  };
  return visit(members, [name]);
}
