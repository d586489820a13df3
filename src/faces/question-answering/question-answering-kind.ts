import { z } from 'zod';
import { type AnyDomain, defineDomain } from '../../domains/define-domain.ts';
import { AppError } from '../../errors.ts';
import { queryNumber } from '../../http/terms/query-number.ts';
import type { Signature, Tensors } from '../../tensor/tensor.ts';
import { codePointSlicer } from '../../texts/code-points.ts';
import { encodePairWindows } from '../../texts/encode-windows.ts';
import { namedId } from '../../texts/text-limits.ts';
import { finish, type SlicedWork } from '../../timing/sliced-work.ts';
import { invalidFace, refuseFaults } from '../face-faults.ts';
import { type CreatedFace, defineFaceKind, type FaceSource, type FaceTrace } from '../face-kind.ts';
import { byGroups } from '../text-input/by-groups.ts';
import { mergeRows } from '../text-input/merge-rows.ts';
import { openText } from '../text-input/open-text.ts';
import { tooLongOf } from '../text-input/option-of-result.ts';
import { textField } from '../text-input/text-field.ts';
import { traceTokenizer } from '../text-input/trace-tokenizer.ts';
import { WindowRows, windowKinds } from '../text-input/window-rows.ts';
import { type AnswerSpans, type AnswerSpansOptions, answerSpans } from './answer-spans.ts';

type Source = FaceSource<'question-answering'>;

const outputNames = { starts: 'start_logits', ends: 'end_logits' } as const;
/** Those of the pipeline of transformers. */
const usual = { maxLength: 384, maxAnswerTokens: 15 } as const;

const example = {
  question: 'What does the fox jump over?',
  context: 'The quick brown fox jumps over the lazy dog.',
};

const answer = {
  answer: z.string().nullable().describe('A part of the context; null: there is no answer in it'),
  probability: z.number().nullable().describe('null where the model gives no finite number'),
  start: z.int().min(0).describe('First code point of it in the context'),
  end: z.int().min(0).describe('The code point behind its last'),
};
type Answer = z.output<z.ZodObject<typeof answer>>;

const Answered = z.object({
  ...answer,
  answers: z.array(z.object(answer)).optional().describe('The most probable ones, where top_k asks for them'),
  truncated: z.literal(true).optional().describe('The context was cut'),
});

interface Question {
  readonly question: string;
  readonly context: string;
}

/** The answer to a question, as a part of a text: models with the outputs `start_logits` and `end_logits`. */
export const questionAnsweringKind = defineFaceKind({ kind: 'question-answering', find, create });

function find({ material, companions }: Source): FaceTrace {
  if (missingOutputs(material.predictor.signature).length > 0) return undefined;
  return traceTokenizer(companions);
}

function missingOutputs({ outputs }: Signature): readonly string[] {
  return Object.values(outputNames).flatMap((name) =>
    outputs.some((output) => output.name === name) ? [] : [`the model has no output ${name}`],
  );
}

async function create(
  { material, companions, settings, tools }: Source,
  signal: AbortSignal | undefined,
): Promise<CreatedFace> {
  const { name, manifest, predictor } = material;
  refuseFaults(missingOutputs(predictor.signature));
  const kinds = windowKinds;
  const given = settings?.template ?? (await companions.object('example.json'));
  const tokenizer = await companions.object('tokenizer_config.json');
  const text = await openText(
    { material, companions, tools },
    { settings: settings?.text, tooLong: kinds[0], kinds, usualMaxLength: usual.maxLength },
    signal,
  );
  const { encoder } = text;
  const maxAnswerTokens = settings?.maxAnswerTokens ?? usual.maxAnswerTokens;
  const noAnswer = settings?.noAnswer ?? false;
  const reading: Omit<AnswerSpansOptions, 'topK'> = {
    paddingSide: encoder.limits.paddingSide,
    classId: namedId(tokenizer?.['cls_token'], encoder.facts.ids) ?? encoder.facts.template.pair?.[0][0],
    maxAnswerTokens,
  };
  const faults = [
    ...(encoder.takesPairs ? [] : ['tokenizer.json: it makes no pairs of texts']),
    ...(noAnswer && reading.classId === undefined ? ['face.noAnswer: no token of the tokenizer stands for it'] : []),
  ];
  if (faults.length > 0) {
    text.close();
    throw invalidFace(faults);
  }

  const domainWith = (topK: number | undefined, tooLong: (typeof kinds)[number]): AnyDomain => {
    const kept = new WindowRows<Question>();
    function* readAnswers(outputs: Tensors, instances: readonly Question[]): SlicedWork<z.output<typeof Answered>[]> {
      const [starts, ends] = [outputOf(outputs, outputNames.starts), outputOf(outputs, outputNames.ends)];
      const read = answerSpans(starts, ends, { ...reading, topK: topK ?? 1 });
      const results: z.output<typeof Answered>[] = [];
      for (const [index, { text: encoded, rows }] of kept.of(instances).entries()) {
        const answers = answersOf(yield* read(encoded, rows), instances[index]?.context ?? '', noAnswer);
        results.push({
          ...(answers[0] ?? nothing),
          ...(topK !== undefined && { answers: answers.slice(0, topK) }),
          ...(encoded.isTruncated && { truncated: true as const }),
        });
      }
      return results;
    }
    return defineDomain({
      name,
      model: name,
      summary: manifest.description ?? 'What does this text answer to this question?',
      input: z.strictObject({ question: textField(text.maxBytes), context: textField(text.maxBytes) }),
      output: Answered,
      target: 'answer',
      examples: [{ ...example, ...given }],
      form: true,
      ...byGroups(async (instances: readonly Question[], model, { signal }) => {
        const pairs = instances.map(({ question, context }) => ({ first: question, second: context }));
        const locate = (index: number, which: 'first' | 'second') => [
          index,
          which === 'first' ? 'question' : 'context',
        ];
        const encoded = await encodePairWindows(encoder, pairs, { tooLong, stride: text.stride, locate, signal });
        return text.groups(kept.keep(instances, encoded), model);
      }),
      decode: (outputs, instances) => finish(readAnswers(outputs, instances)),
      assemble: (groups, instances) => readAnswers(mergeRows(groups, encoder.limits.paddingSide), instances),
    });
  };

  return {
    domain: domainWith(undefined, text.tooLong),
    settings: {
      kind: 'question-answering',
      maxAnswerTokens,
      noAnswer,
      text: text.settings,
      ...(settings?.template !== undefined && { template: settings.template }),
    },
    options: {
      schema: z.object({
        top_k: queryNumber(z.int().min(1).max(100)).optional().describe('Most answers; absent: the best alone'),
        too_long: z.enum(kinds).optional().describe(`A context with too many tokens; absent: ${text.tooLong}`),
      }),
      ofResult: tooLongOf,
      bind: ({ top_k: most, too_long: asked }) =>
        domainWith(typeof most === 'number' ? most : undefined, kinds.find((kind) => kind === asked) ?? text.tooLong),
    },
    padding: text.padding,
    close: async () => text.close(),
  };
}

/** What a context without a token has. */
const nothing: Answer = { answer: null, probability: null, start: 0, end: 0 };

/** Most probable first; that there is none is one of them where it may be. */
function answersOf({ spans, noAnswer }: AnswerSpans, context: string, mayBeNone: boolean): readonly Answer[] {
  const slice = codePointSlicer(context);
  const answers = spans.map(({ start, end, probability }): Answer & { probability: number } => ({
    answer: slice(start, end),
    probability,
    start,
    end,
  }));
  if (!mayBeNone || noAnswer === undefined || !Number.isFinite(noAnswer)) return answers;
  const better = answers.filter(({ probability }) => probability >= noAnswer).length;
  return answers.toSpliced(better, 0, { answer: null, probability: noAnswer, start: 0, end: 0 });
}

function outputOf(outputs: Tensors, name: string) {
  const tensor = outputs[name];
  if (tensor === undefined) throw new AppError('INTERNAL', { message: `The model gave no output ${name}` });
  return tensor;
}
