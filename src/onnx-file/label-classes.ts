import type { OnnxFile } from './onnx-file.ts';

/** Operators that leave values as they are, or write them as another type. */
const passing: ReadonlySet<string> = new Set(['Identity', 'Cast', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);
/** Operators that choose from a list by numbers. */
const choosing: ReadonlySet<string> = new Set(['ArrayFeatureExtractor', 'Gather']);
const classifiers: ReadonlySet<string> = new Set(['TreeEnsembleClassifier', 'LinearClassifier', 'SVMClassifier']);
const mostSteps = 64;

/**
 * What the values of outputs are called, in the order of the classes, where the graph says it: outputs that are the label of
 * a classifier of `ai.onnx.ml`, or are chosen from a list of whole numbers.
 */
export function labelClassesOf(file: OnnxFile): Readonly<Record<string, string[]>> {
  const found = file.outputs.flatMap(({ name }): [string, string[]][] => {
    const classes = classesOf(file, name);
    return classes === undefined ? [] : [[name, classes]];
  });
  return Object.fromEntries(found);
}

function classesOf({ nodes, smallInts }: OnnxFile, output: string): string[] | undefined {
  let name = output;
  for (let step = 0; step < mostSteps; step++) {
    const node = nodes.find(({ inMainGraph, outputs }) => inMainGraph && outputs.includes(name));
    const [first = ''] = node?.inputs ?? [];
    if (node === undefined) return undefined;
    if (choosing.has(node.opType) && smallInts.has(first)) return smallInts.get(first)?.map(String);
    if (classifiers.has(node.opType)) {
      const { strings, ints } = node;
      const classes =
        strings?.get('classlabels_strings') ?? ints.get('classlabels_int64s') ?? ints.get('classlabels_ints');
      // Behind the label are the scores.
      return node.outputs[0] === name && classes !== undefined ? [...classes].map(String) : undefined;
    }
    if (!passing.has(node.opType)) return undefined;
    name = first;
  }
  return undefined;
}
