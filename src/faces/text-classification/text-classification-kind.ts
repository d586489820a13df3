import { z } from 'zod';
import { type AnyDomain, defineDomain } from '../../domains/define-domain.ts';
import { queryNumber } from '../../http/terms/query-number.ts';
import { classNamesOf } from '../../tensor/class-names.ts';
import { architectureOf } from '../architecture.ts';
import { namesOfConfig } from '../class-names.ts';
import { scoresOutput } from '../class-output.ts';
import { type CreatedFace, defineFaceKind, type FaceSource, type FaceTrace } from '../face-kind.ts';
import { Classification } from '../image-classification/classification.ts';
import { type ClassFunction, classify } from '../image-classification/classify.ts';
import { byGroups } from '../text-input/by-groups.ts';
import { openText } from '../text-input/open-text.ts';
import { tooLongOf } from '../text-input/option-of-result.ts';
import { textField } from '../text-input/text-field.ts';
import { traceTokenizer } from '../text-input/trace-tokenizer.ts';

type Source = FaceSource<'text-classification'>;
type JsonObject = Readonly<Record<string, unknown>>;

const TextClassification = Classification.extend({
  tokens: z.int().min(0).describe('Tokens of the text, special ones included'),
  truncated: z.literal(true).optional().describe('The text was cut'),
});

/** The class of a text: sequence classifiers of Hugging Face with several labels. */
export const textClassificationKind = defineFaceKind({ kind: 'text-classification', find, create });

async function find({ companions }: Source): Promise<FaceTrace> {
  const architecture = await architectureOf(companions);
  if (!architecture?.endsWith('ForSequenceClassification')) return undefined;
  const names = namesOfConfig(await companions.object('config.json'));
  if (names === undefined || names.length < 2) return undefined;
  return traceTokenizer(companions);
}

async function create(
  { material, companions, settings, tools }: Source,
  signal: AbortSignal | undefined,
): Promise<CreatedFace> {
  const { name, manifest, predictor } = material;
  const config = await companions.object('config.json');
  const output = scoresOutput(predictor.signature, settings?.output);
  const labels = classNamesOf(manifest.labels, output.name) ?? namesOfConfig(config) ?? [];
  output.checkLabels(labels);
  const scores = settings?.function ?? usualFunction(config);
  const topK = settings?.topK ?? undefined;
  const given = settings?.template ?? (await companions.object('example.json'));
  const text = await openText(
    { material, companions, tools },
    { settings: settings?.text, tooLong: 'error', kinds: ['error', 'truncate'] },
    signal,
  );
  const example = { text: text.example, ...given };
  const domainWith = (most: number | undefined, tooLong: 'error' | 'truncate'): AnyDomain => {
    const counted = new WeakMap<object, { readonly tokens: number; readonly truncated?: true }>();
    return defineDomain({
      name,
      model: name,
      summary: manifest.description ?? 'Which class has this text?',
      input: z.strictObject({ text: textField(text.maxBytes) }),
      output: TextClassification,
      target: 'label',
      examples: [example],
      form: true,
      ...byGroups(async (instances: readonly { text: string }[], model, context) => {
        const encoded = await text.encode(
          instances.map((instance) => instance.text),
          { tooLong, locate: (index) => [index, 'text'], signal: context.signal },
        );
        for (const [index, { count, ids, isTruncated }] of encoded.entries()) {
          const instance = instances[index];
          if (instance === undefined) continue;
          counted.set(instance, isTruncated ? { tokens: ids.length, truncated: true } : { tokens: count });
        }
        return text.groups(encoded, model);
      }),
      decode: (outputs, instances) =>
        classify(output.of(outputs), { function: scores, topK: most, labels, source: output.source }).map(
          (result, row) => {
            const instance = instances[row];
            return { ...result, ...((instance && counted.get(instance)) ?? { tokens: 0 }) };
          },
        ),
    });
  };
  return {
    domain: domainWith(topK, text.tooLong === 'truncate' ? 'truncate' : 'error'),
    settings: {
      kind: 'text-classification',
      output: output.name,
      function: scores,
      topK: topK ?? null,
      text: text.settings,
    },
    options: {
      schema: z.object({
        top_k: queryNumber(z.int().min(1).max(100_000))
          .optional()
          .describe(`Most classes; absent: ${topK ?? 'all'}`),
        too_long: z
          .enum(['error', 'truncate'])
          .optional()
          .describe(`A text with too many tokens; absent: ${text.tooLong}`),
      }),
      ofResult: tooLongOf,
      bind: ({ top_k: most, too_long: asked }) =>
        domainWith(
          typeof most === 'number' ? most : topK,
          (asked ?? text.tooLong) === 'truncate' ? 'truncate' : 'error',
        ),
    },
    padding: text.padding,
    close: async () => text.close(),
  };
}

function usualFunction(config: JsonObject | undefined): ClassFunction {
  return config?.['problem_type'] === 'multi_label_classification' ? 'sigmoid' : 'softmax';
}
