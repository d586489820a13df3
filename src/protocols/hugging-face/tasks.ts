import { z } from 'zod';

/** What a request of the Inference Endpoints asks of a face, and how the answer is written. */
export interface HuggingFaceCall {
  /** As the face takes them. */
  readonly instances: readonly unknown[];
  /** As the query of its own route has them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** @param results those of the face, one for each instance */
  write(results: readonly unknown[]): unknown;
}

/** A kind of face as a task of the pipelines of transformers. */
export interface HuggingFaceTask {
  /** Validates `{"inputs", "parameters"}`, and gives what is asked. */
  readonly request: z.ZodType<HuggingFaceCall>;
}

const classes = z.object({ classes: z.array(z.object({ label: z.string(), probability: z.number().nullable() })) });

function scores(result: unknown): { label: string; score: number | null }[] {
  return classes.parse(result).classes.map(({ label, probability }) => ({ label, score: probability }));
}

/** One input, or several. */
function oneOrMore<One extends z.ZodType>(one: One) {
  return z.union([one, z.array(one).min(1).max(1000)]);
}

function listOf<One>(inputs: One | readonly One[]): { readonly list: readonly One[]; readonly isList: boolean } {
  return Array.isArray(inputs) ? { list: inputs, isList: true } : { list: [inputs as One], isList: false };
}

const text = z.union([z.string(), z.strictObject({ text: z.string() })]);
const textOf = (input: z.output<typeof text>) => (typeof input === 'string' ? input : input.text);

const textClassification = z
  .strictObject({
    inputs: oneOrMore(text),
    parameters: z.strictObject({ top_k: z.int().min(1).nullable().optional() }).default({}),
    options: z.unknown().optional(),
  })
  .transform(({ inputs, parameters }): HuggingFaceCall => {
    const { list, isList } = listOf(inputs);
    const { top_k: most = 1 } = parameters;
    return {
      instances: list.map((input) => ({ text: textOf(input) })),
      options: most === null ? {} : { top_k: most },
      write: (results) => {
        const all = results.map(scores);
        if (most === 1) return all.map(([first]) => first);
        return isList ? all : all[0];
      },
    };
  });

const entities = z.object({
  entities: z.array(
    z.object({ label: z.string(), probability: z.number().nullable(), start: z.int(), end: z.int(), text: z.string() }),
  ),
});

const tokenClassification = z
  .strictObject({
    inputs: oneOrMore(text),
    parameters: z
      .strictObject({ aggregation_strategy: z.enum(['none', 'simple', 'first', 'average', 'max']).default('none') })
      .prefault({}),
    options: z.unknown().optional(),
  })
  .transform(({ inputs, parameters: { aggregation_strategy: aggregation } }): HuggingFaceCall => {
    const { list, isList } = listOf(inputs);
    const key = aggregation === 'none' ? 'entity' : 'entity_group';
    return {
      instances: list.map((input) => ({ text: textOf(input) })),
      options: { aggregation },
      write: (results) => {
        const all = results.map((result) =>
          entities.parse(result).entities.map(({ label, probability, start, end, text: word }) => ({
            [key]: label,
            score: probability,
            word,
            start,
            end,
          })),
        );
        return isList ? all : all[0];
      },
    };
  });

const question = z.strictObject({ question: z.string(), context: z.string() });
const answer = z.object({
  answer: z.string().nullable(),
  probability: z.number().nullable(),
  start: z.int(),
  end: z.int(),
});
const answers = answer.extend({ answers: z.array(answer).optional() });

const questionAnswering = z
  .strictObject({
    inputs: oneOrMore(question),
    parameters: z.strictObject({ top_k: z.int().min(1).max(100).optional() }).default({}),
    options: z.unknown().optional(),
  })
  .transform(({ inputs, parameters: { top_k: most } }): HuggingFaceCall => {
    const { list, isList } = listOf(inputs);
    const write = ({ answer: found, probability, start, end }: z.output<typeof answer>) => ({
      score: probability,
      start,
      end,
      answer: found ?? '',
    });
    return {
      instances: list,
      options: most === undefined || most === 1 ? {} : { top_k: most },
      write: (results) => {
        const all = results.map((result) => {
          const read = answers.parse(result);
          return read.answers === undefined ? write(read) : read.answers.map(write);
        });
        return isList ? all : all[0];
      },
    };
  });

const embedding = z
  .strictObject({
    inputs: oneOrMore(z.string()),
    parameters: z.strictObject({}).default({}),
    options: z.unknown().optional(),
  })
  .transform(({ inputs }): HuggingFaceCall => {
    const { list, isList } = listOf(inputs);
    return {
      instances: list.map((input) => ({ text: input })),
      options: {},
      write: (results) => {
        const all = results.map((result) => z.object({ embedding: z.array(z.number()) }).parse(result).embedding);
        return isList ? all : all[0];
      },
    };
  });

const imageClassification = pictureTask({ top_k: z.int().min(1).optional() }, (results) => results.map(scores));

const boxes = z.object({
  detections: z.array(
    z.object({
      label: z.string(),
      probability: z.number(),
      box: z.object({ x_min: z.number(), y_min: z.number(), x_max: z.number(), y_max: z.number() }),
    }),
  ),
});

const objectDetection = pictureTask({ threshold: z.number().min(0).max(1).optional() }, (results) =>
  results.map((result) =>
    boxes.parse(result).detections.map(({ label, probability, box }) => ({
      score: probability,
      label,
      box: { xmin: box.x_min, ymin: box.y_min, xmax: box.x_max, ymax: box.y_max },
    })),
  ),
);

function pictureTask(parameters: z.ZodRawShape, write: (results: readonly unknown[]) => readonly unknown[]) {
  return z
    .strictObject({
      inputs: z.union([z.string(), z.instanceof(Uint8Array)]).describe('base64; or the picture as the body'),
      parameters: z.strictObject(parameters).default({}),
      options: z.unknown().optional(),
    })
    .transform(
      ({ inputs, parameters: options }): HuggingFaceCall => ({
        instances: [{ image: inputs }],
        options,
        write: (results) => write(results)[0],
      }),
    );
}

/** The tasks of the kinds of faces that transformers has a pipeline for. */
export const huggingFaceTasks: ReadonlyMap<string, HuggingFaceTask> = new Map<string, HuggingFaceTask>([
  ['text-classification', { request: textClassification }],
  ['token-classification', { request: tokenClassification }],
  ['question-answering', { request: questionAnswering }],
  ['embedding', { request: embedding }],
  ['image-classification', { request: imageClassification }],
  ['object-detection', { request: objectDetection }],
]);
