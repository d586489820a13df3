import { z } from 'zod';
import { type AnyDomain, defineDomain } from '../../domains/define-domain.ts';
import { aggregations } from '../../models/face-settings/text-settings.ts';
import { classNamesOf } from '../../tensor/class-names.ts';
import type { Tensors } from '../../tensor/tensor.ts';
import { codePointSlicer } from '../../texts/code-points.ts';
import { encodeWindows } from '../../texts/encode-windows.ts';
import { namedId } from '../../texts/text-limits.ts';
import { finish, type SlicedWork } from '../../timing/sliced-work.ts';
import { architectureOf } from '../architecture.ts';
import { namesOfConfig } from '../class-names.ts';
import { scoresOutput } from '../class-output.ts';
import { invalidFace } from '../face-faults.ts';
import { type CreatedFace, defineFaceKind, type FaceSource, type FaceTrace } from '../face-kind.ts';
import { byGroups } from '../text-input/by-groups.ts';
import { mergeRows } from '../text-input/merge-rows.ts';
import { openText } from '../text-input/open-text.ts';
import { tooLongOf } from '../text-input/option-of-result.ts';
import { textField } from '../text-input/text-field.ts';
import { traceTokenizer } from '../text-input/trace-tokenizer.ts';
import { WindowRows, windowKinds } from '../text-input/window-rows.ts';
import { type Aggregation, type Entity, entitiesOf } from './entities.ts';
import { entityLabels } from './entity-labels.ts';
import { mergeEntities } from './merge-entities.ts';
import { scoredTokens, type TokenScoresOptions } from './token-scores.ts';

type Source = FaceSource<'token-classification'>;

const Entities = z.object({
  entities: z.array(
    z.object({
      label: z.string(),
      probability: z.number().nullable().describe('null where the model gives no finite number'),
      start: z.int().min(0).describe('First code point of it in the text'),
      end: z.int().min(0).describe('The code point behind its last'),
      text: z.string().describe('The part of the text between them'),
    }),
  ),
  tokens: z.int().min(0).describe('Tokens of the text, special ones included'),
  truncated: z.boolean().describe('Whether the text was cut'),
});

interface TextInstance {
  readonly text: string;
}

/** So many are made in one go. */
const manyEntities = 1000;

/** The names in a text: token classifiers of Hugging Face. */
export const tokenClassificationKind = defineFaceKind({ kind: 'token-classification', find, create });

async function find({ companions }: Source): Promise<FaceTrace> {
  const architecture = await architectureOf(companions);
  if (!architecture?.endsWith('ForTokenClassification')) return undefined;
  return traceTokenizer(companions);
}

async function create(
  { material, companions, settings, tools }: Source,
  signal: AbortSignal | undefined,
): Promise<CreatedFace> {
  const { name, manifest, predictor } = material;
  const output = scoresOutput(predictor.signature, settings?.output, { ofTokens: true });
  const { shape } = output.spec;
  if (shape.length !== 3) {
    throw invalidFace([
      `the output ${output.name} has the shape [${shape.join(',')}], expected [texts, tokens, classes]`,
    ]);
  }
  const labels =
    classNamesOf(manifest.labels, output.name) ?? namesOfConfig(await companions.object('config.json')) ?? [];
  output.checkLabels(labels);
  const kinds = windowKinds;
  const given = settings?.template ?? (await companions.object('example.json'));
  const tokenizer = await companions.object('tokenizer_config.json');
  const text = await openText(
    { material, companions, tools },
    { settings: settings?.text, tooLong: kinds[0], kinds },
    signal,
  );
  const { facts, limits } = text.encoder;
  const reading: TokenScoresOptions = {
    paddingSide: limits.paddingSide,
    marksSubwords: facts.marksSubwords,
    unknownId: namedId(tokenizer?.['unk_token'], facts.ids) ?? facts.unknownId,
  };
  const usual = settings?.aggregation ?? 'simple';
  const ignore = settings?.ignore ?? ['O'];
  const common = { labels, readLabel: entityLabels(labels), ignore: new Set(ignore) };

  const domainWith = (aggregation: Aggregation, tooLong: (typeof kinds)[number]): AnyDomain => {
    const kept = new WindowRows<TextInstance>();
    function* readEntities(
      outputs: Tensors,
      instances: readonly TextInstance[],
    ): SlicedWork<z.output<typeof Entities>[]> {
      const tokensOf = scoredTokens(output.of(outputs), reading);
      const answers: z.output<typeof Entities>[] = [];
      for (const [index, { text: encoded, rows }] of kept.of(instances).entries()) {
        const slice = codePointSlicer(instances[index]?.text ?? '');
        const found: Entity[] = [];
        for (const row of rows) {
          if (row.row > 0) yield;
          const own = entitiesOf(tokensOf(encoded, row, slice), { aggregation, ...common });
          for (const entity of own) found.push(entity);
        }
        if (found.length > manyEntities) yield;
        const entities: z.output<typeof Entities>['entities'] = [];
        for (const { label, probability, start, end } of rows.length > 1 ? mergeEntities(found) : found) {
          if (entities.length % manyEntities === manyEntities - 1) yield;
          entities.push({
            label,
            probability: Number.isFinite(probability) ? probability : null,
            start,
            end,
            text: slice(start, end),
          });
        }
        answers.push({
          entities,
          tokens: encoded.isTruncated ? (encoded.windows[0]?.ids.length ?? 0) : encoded.count,
          truncated: encoded.isTruncated,
        });
      }
      return answers;
    }
    return defineDomain({
      name,
      model: name,
      summary: manifest.description ?? 'Which names are in this text?',
      input: z.strictObject({ text: textField(text.maxBytes) }),
      output: Entities,
      target: 'entities',
      examples: [{ text: text.example, ...given }],
      form: true,
      ...byGroups(async (instances: readonly TextInstance[], model, { signal }) => {
        const texts = instances.map((instance) => instance.text);
        const locate = (index: number) => [index, 'text'];
        const encoded = await encodeWindows(text.encoder, texts, { tooLong, stride: text.stride, locate, signal });
        return text.groups(kept.keep(instances, encoded), model);
      }),
      decode: (outputs, instances) => finish(readEntities(outputs, instances)),
      assemble: (groups, instances) => readEntities(mergeRows(groups, limits.paddingSide), instances),
    });
  };

  return {
    domain: domainWith(usual, text.tooLong),
    settings: {
      kind: 'token-classification',
      output: output.name,
      aggregation: usual,
      ignore,
      text: text.settings,
      ...(settings?.template !== undefined && { template: settings.template }),
    },
    options: {
      schema: z.object({
        aggregation: z
          .enum(aggregations)
          .optional()
          .describe(`How tokens become entities, as transformers calls it; absent: ${usual}`),
        too_long: z.enum(kinds).optional().describe(`A text with too many tokens; absent: ${text.tooLong}`),
      }),
      ofResult: tooLongOf,
      bind: ({ aggregation, too_long: asked }) =>
        domainWith(
          aggregations.find((known) => known === aggregation) ?? usual,
          kinds.find((kind) => kind === asked) ?? text.tooLong,
        ),
    },
    padding: text.padding,
    close: async () => text.close(),
  };
}
