import { z } from 'zod';
import { type AnyDomain, defineDomain } from '../../domains/define-domain.ts';
import { AppError } from '../../errors.ts';
import { queryNumber } from '../../http/terms/query-number.ts';
import { floatValues } from '../../tensor/float-values.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { architectureOf } from '../architecture.ts';
import { namesOfConfig } from '../class-names.ts';
import { scoresOutput } from '../class-output.ts';
import { invalidFace } from '../face-faults.ts';
import { type CreatedFace, defineFaceKind, type FaceSource, type FaceTrace } from '../face-kind.ts';
import { byGroups } from '../text-input/by-groups.ts';
import { openText } from '../text-input/open-text.ts';
import { tooLongOf } from '../text-input/option-of-result.ts';
import { textField } from '../text-input/text-field.ts';
import { traceTokenizer } from '../text-input/trace-tokenizer.ts';
import { rankDocuments } from './rerank.ts';

type Source = FaceSource<'reranking'>;

const mostDocuments = 1000;

const Ranking = z.object({
  results: z
    .array(
      z.object({
        index: z.int().min(0).describe('Which document of the request this is'),
        relevance_score: z.number().describe('From 0 to 1, unless raw scores were asked for'),
        document: z.string().optional(),
        truncated: z.literal(true).optional().describe('The document was cut'),
      }),
    )
    .describe('The most relevant first'),
  tokens: z.int().min(0).describe('Tokens of all pairs, special ones included'),
});

/** What `bind` of the options of a reranker takes. */
export interface RerankingOptions {
  readonly too_long?: 'error' | 'truncate' | undefined;
  /** Most tokens of a document. */
  readonly max_document_tokens?: number | undefined;
}

/** How well documents answer a query: cross-encoders. */
export const rerankingKind = defineFaceKind({ kind: 'reranking', find, create });

async function find({ companions }: Source): Promise<FaceTrace> {
  const sentences = await companions.object('config_sentence_transformers.json');
  const architecture = await architectureOf(companions);
  const names = namesOfConfig(await companions.object('config.json'));
  const isSingle = architecture?.endsWith('ForSequenceClassification') === true && (names?.length ?? 1) === 1;
  if (!isSingle && sentences?.['model_type'] !== 'CrossEncoder') return undefined;
  return traceTokenizer(companions);
}

async function create(
  { material, companions, settings, tools }: Source,
  signal: AbortSignal | undefined,
): Promise<CreatedFace> {
  const { name, manifest, predictor } = material;
  const config = await companions.object('config.json');
  const output = scoresOutput(predictor.signature, settings?.output);
  if (output.spec.shape.length === 2 && (output.spec.shape[1] ?? 1) > 1) {
    throw invalidFace([`the output ${output.name} has ${output.spec.shape[1]} scores for each pair, expected 1`]);
  }
  const isIdentity = (settings?.function ?? usualFunction(config)) === 'none';
  const given = settings?.template ?? (await companions.object('example.json'));
  const text = await openText(
    { material, companions, tools },
    { settings: settings?.text, tooLong: 'truncate', kinds: ['error', 'truncate'] },
    signal,
  );
  if (!text.encoder.takesPairs) {
    text.close();
    throw invalidFace(['tokenizer.json: it makes no pairs of texts']);
  }
  const field = textField(text.maxBytes);
  const input = z.strictObject({
    query: field,
    documents: z.array(field).min(1).max(mostDocuments),
    top_n: z.int().min(1).optional().describe('Most documents of the answer; absent: all'),
    return_documents: z.boolean().default(false).describe('Answer the documents, too'),
    raw_scores: z.boolean().default(false).describe('Scores as the model gives them'),
  });
  const usual =
    text.example === 'a'
      ? { query: 'a', documents: ['a', 'b'] }
      : { query: 'What does the fox do?', documents: [text.example, 'A cat sleeps.'] };
  const example = { ...usual, ...given };
  const domainWith = ({ too_long: asked, max_document_tokens: mostOfSecond }: RerankingOptions): AnyDomain => {
    const tooLong = (asked ?? text.tooLong) === 'truncate' ? 'truncate' : 'error';
    const cut = new WeakMap<object, { readonly truncated: readonly boolean[]; readonly tokens: number }>();
    return defineDomain({
      name,
      model: name,
      summary: manifest.description ?? 'How well do these documents answer the query?',
      input,
      output: Ranking,
      target: 'results',
      examples: [example],
      ...byGroups(async (instances: readonly z.output<typeof input>[], model, context) => {
        const pairs = instances.flatMap(({ query, documents }, instance) =>
          documents.map((document, index) => ({
            first: query,
            second: document,
            place: [instance, 'documents', index],
          })),
        );
        const encoded = await text.encodePairs(pairs, {
          tooLong,
          locate: (index) => pairs[index]?.place ?? [],
          signal: context.signal,
          mostOfSecond,
        });
        let next = 0;
        for (const instance of instances) {
          const own = encoded.slice(next, next + instance.documents.length);
          next += own.length;
          const tokens = own.reduce((sum, { ids }) => sum + ids.length, 0);
          cut.set(instance, { truncated: own.map(({ isTruncated }) => isTruncated), tokens });
        }
        return text.groups(encoded, model);
      }),
      decode: () => {
        throw new AppError('INTERNAL', { message: 'Pairs of a query and documents are assembled, not decoded' });
      },
      *assemble(groups, instances) {
        const logits: number[] = [];
        for (const { outputs, rows } of groups) {
          const scores = scoresOf(output.of(outputs), rows.length);
          for (const [at, pair] of rows.entries()) logits[pair] = scores[at] ?? Number.NaN;
          yield;
        }
        let next = 0;
        return instances.map((instance) => {
          const { documents, top_n: most, return_documents: returns, raw_scores: isRaw } = instance;
          const own = logits.slice(next, next + documents.length);
          next += documents.length;
          const { truncated = [], tokens = 0 } = cut.get(instance) ?? {};
          const results = rankDocuments(own, { isRaw: isRaw || isIdentity, most }).map(({ index, score }) => ({
            index,
            relevance_score: score,
            ...(returns && { document: documents[index] }),
            ...(truncated[index] === true && { truncated: true as const }),
          }));
          return { results, tokens };
        });
      },
    });
  };
  return {
    domain: domainWith({}),
    settings: {
      kind: 'reranking',
      output: output.name,
      function: isIdentity ? 'none' : 'sigmoid',
      text: text.settings,
    },
    options: {
      schema: z.object({
        too_long: z
          .enum(['error', 'truncate'])
          .optional()
          .describe(`A pair with too many tokens; absent: ${text.tooLong}`),
        max_document_tokens: queryNumber(z.int().min(1)).optional().describe('Most tokens of a document; more are cut'),
      }),
      bind: domainWith,
      ofResult: ({ results }) => (Array.isArray(results) ? (results.map(tooLongOf).find(isSaid) ?? {}) : {}),
    },
    padding: text.padding,
    close: async () => text.close(),
  };
}

/**
 * One score for each pair.
 *
 * @throws AppError `INTERNAL` for an output with more, or with one that is no number: there would be no order
 */
function scoresOf(tensor: Tensor, pairs: number): Float32Array | Float64Array {
  const scores = floatValues(tensor);
  if (scores?.length !== pairs) {
    const { datatype, shape } = tensor;
    throw new AppError('INTERNAL', {
      message: `The output with the scores is ${datatype} [${shape.join(',')}] for ${pairs} pairs, expected one float for each`,
      received: shape,
    });
  }
  if (scores.some(Number.isNaN)) throw new AppError('INTERNAL', { message: 'The model gave NaN for a pair' });
  return scores;
}

function isSaid({ too_long: tooLong }: ReturnType<typeof tooLongOf>): boolean {
  return tooLong !== undefined;
}

/** The name of the class of torch that cross-encoders end with. */
function usualFunction(config: Readonly<Record<string, unknown>> | undefined): 'sigmoid' | 'none' {
  const sentences = config?.['sentence_transformers'];
  const nested =
    typeof sentences === 'object' && sentences !== null && 'activation_fn' in sentences
      ? sentences.activation_fn
      : undefined;
  const name = String(nested ?? config?.['sbert_ce_default_activation_function'] ?? config?.['activation_fn'] ?? '');
  return name.endsWith('Identity') ? 'none' : 'sigmoid';
}
