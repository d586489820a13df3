/** The class names of an output; undefined where it has none. A name of an output may be one that every object has. */
export function classNamesOf(
  labels: Readonly<Record<string, readonly string[]>>,
  output: string,
): readonly string[] | undefined {
  return Object.hasOwn(labels, output) ? labels[output] : undefined;
}
