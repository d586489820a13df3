import type { Entity } from './entities.ts';

/**
 * The entities of a text, of those that its windows have: of two that overlap the longer one stays, of equally long ones the
 * more probable. Source: `aggregate_overlapping_entities` of transformers.
 */
export function mergeEntities(entities: readonly Entity[]): readonly Entity[] {
  const merged: Entity[] = [];
  for (const entity of entities.toSorted((a, b) => a.start - b.start)) {
    const before = merged.at(-1);
    if (before === undefined || entity.start >= before.end) merged.push(entity);
    else if (isBetter(entity, before)) merged[merged.length - 1] = entity;
  }
  return merged;
}

function isBetter(one: Entity, other: Entity): boolean {
  const longer = one.end - one.start - (other.end - other.start);
  return longer > 0 || (longer === 0 && one.probability > other.probability);
}
