/** What a label of a token says of the entity that the token is a part of. */
export interface EntityLabel {
  /** The label without its place in the entity. */
  readonly type: string;
  /** Whether an entity begins with the token, even if the one before has the same type. */
  readonly begins: boolean;
  /** Whether the entity ends with the token. */
  readonly ends: boolean;
}

const begin = /^B-/;
const inside = /^I-/;
/** Of BIOES, BILOU and BMES: an entity ends with the token, it is the whole entity, or in the middle of one. */
const otherPlaces = /^([ESLUM])-/;

/**
 * Reads labels as transformers does, which knows `B-` and `I-`. Where other labels of the model say that a token ends an
 * entity or is a whole one, that is read as well.
 *
 * @param labels all of the model
 */
export function entityLabels(labels: readonly string[]): (label: string) => EntityLabel {
  const types = new Set(labels.filter((label) => begin.test(label) || inside.test(label)).map(typeOf));
  const hasEnds = labels.some((label) => otherPlaces.test(label) && types.has(typeOf(label)));
  return (label) => {
    if (begin.test(label)) return { type: typeOf(label), begins: true, ends: false };
    if (inside.test(label)) return { type: typeOf(label), begins: false, ends: false };
    const place = hasEnds ? otherPlaces.exec(label)?.[1] : undefined;
    if (place === undefined) return { type: label, begins: false, ends: false };
    const isWhole = place === 'S' || place === 'U';
    return { type: typeOf(label), begins: isWhole, ends: isWhole || place === 'E' || place === 'L' };
  };
}

/** What an entity of that label is called: all behind the first hyphen. */
export function typeOf(label: string): string {
  return label.slice(label.indexOf('-') + 1);
}
