import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { postJson } from '../helpers/server.ts';

export interface Place {
  readonly address: string;
  readonly models: string;
  readonly photos: string;
}

export interface Outcome {
  readonly what: string;
  /** Labels, orders and counts that differ. */
  readonly wrong: number;
  /** The largest difference of two numbers. */
  readonly largest: number;
  readonly bar: number;
}

type Compare = (name: string, expected: unknown, place: Place) => Promise<Outcome>;

class Tally {
  wrong = 0;
  largest = 0;

  same(a: unknown, b: unknown): void {
    if (a !== b) this.wrong += 1;
  }

  near(a: number, b: number): void {
    this.largest = Math.max(this.largest, Number.isNaN(a - b) ? Number.POSITIVE_INFINITY : Math.abs(a - b));
  }
}

async function post({ address }: Place, path: string, body: unknown): Promise<unknown> {
  const { status, body: answer } = await postJson(address, path, body);
  if (status !== 200) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer;
}

const image = async (path: string) => ({ image: (await readFile(path)).toString('base64') });
const scored = z.object({ label: z.string(), score: z.number() });

const photoResults = z.object({ photos: z.record(z.string(), z.object({ top5: z.array(scored) })) });
const classes = z.object({ classes: z.array(z.object({ label: z.string(), probability: z.number() })) });

const imageClassification: Compare = async (name, expected, place) => {
  const tally = new Tally();
  const { photos } = photoResults.parse(expected);
  for (const [photo, { top5 }] of Object.entries(photos)) {
    const answer = classes.parse(await post(place, `/${name}/predict`, await image(join(place.photos, photo))));
    for (const [index, { label, score }] of top5.entries()) {
      tally.same(answer.classes[index]?.label, label);
      tally.near(answer.classes[index]?.probability ?? Number.NaN, score);
    }
  }
  return { what: `${Object.keys(photos).length} photos`, ...tally, bar: 1e-5 };
};

const box = z.object({ x_min: z.number(), y_min: z.number(), x_max: z.number(), y_max: z.number() });
const boxes = z.array(scored.extend({ box }));
const pictures = z.object({
  how: z.string(),
  expected: z.record(
    z.string(),
    z.union([boxes, z.object({ detections: boxes }).transform(({ detections }) => detections)]),
  ),
});
const found = z.object({
  detections: z.array(z.object({ label: z.string(), probability: z.number(), box })),
  width: z.number(),
  height: z.number(),
});

const objectDetection: Compare = async (name, expected, place) => {
  const tally = new Tally();
  const { expected: byPicture, how } = pictures.parse(expected);
  const threshold = /threshold 0\.5/.test(how) ? 0.5 : 0.25;
  let count = 0;
  for (const [picture, objects] of Object.entries(byPicture)) {
    const body = await image(join(place.models, 'digits-pictures', picture));
    const answer = found.parse(await post(place, `/${name}/predict?threshold=${threshold}&top_k=1000`, body));
    tally.same(answer.detections.length, objects.length);
    for (const [index, object] of objects.entries()) {
      const received = answer.detections[index];
      count += 1;
      tally.same(received?.label, object.label);
      tally.near(received?.probability ?? Number.NaN, object.score);
      for (const [edge, position] of Object.entries(object.box)) {
        const most = edge.startsWith('x') ? answer.width : answer.height;
        tally.near(received?.box[edge as keyof typeof object.box] ?? Number.NaN, Math.min(Math.max(position, 0), most));
      }
    }
  }
  return { what: `${count} objects`, ...tally, bar: 0.05 };
};

const textResults = z.object({
  texts: z.array(z.string()),
  results: z.array(z.array(scored)).optional(),
  logits: z.array(z.array(z.number())).optional(),
});

const textClassification: Compare = async (name, expected, place) => {
  const tally = new Tally();
  const { texts, results, logits } = textResults.parse(expected);
  const query = '?too_long=truncate';
  const instances = texts.map((text) => ({ text }));
  const { predictions } = z
    .object({ predictions: z.array(classes) })
    .parse(await post(place, `/${name}/predict/batch${query}`, { instances }));
  for (const [index, answer] of predictions.entries()) {
    const byLabel = new Map(answer.classes.map(({ label, probability }) => [label, probability]));
    for (const { label, score } of results?.[index] ?? []) tally.near(byLabel.get(label) ?? Number.NaN, score);
    const [first] = results?.[index] ?? [];
    if (first !== undefined) tally.same(answer.classes[0]?.label, first.label);
    const raw = logits?.[index];
    if (raw === undefined) continue;
    const powers = raw.map((value) => Math.exp(value - Math.max(...raw)));
    const sum = powers.reduce((total, power) => total + power, 0);
    tally.near(answer.classes[0]?.probability ?? Number.NaN, Math.max(...powers) / sum);
  }
  return { what: `${texts.length} texts`, ...tally, bar: 1e-5 };
};

const vectors = z.object({ texts: z.array(z.string()), embeddings: z.array(z.array(z.number())) });
const embeddingAnswer = z.object({ embedding: z.array(z.number()) });

/** One less the cosine; and how far a vector alone is from that among others. */
const embedding: Compare = async (name, expected, place) => {
  const tally = new Tally();
  const { texts, embeddings } = vectors.parse(expected);
  const instances = texts.map((text) => ({ text }));
  const { predictions } = z
    .object({ predictions: z.array(embeddingAnswer) })
    .parse(await post(place, `/${name}/predict/batch`, { instances }));
  for (const [index, { embedding: together }] of predictions.entries()) {
    tally.near(cosine(together, embeddings[index] ?? []), 1);
    const alone = embeddingAnswer.parse(await post(place, `/${name}/predict`, instances[index]));
    for (const [at, value] of alone.embedding.entries()) {
      if (Math.abs(value - (together[at] ?? Number.NaN)) > 1e-6) tally.wrong += 1;
    }
  }
  return { what: `${texts.length} texts, alone and together`, ...tally, bar: 1e-5 };
};

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (one: readonly number[], other: readonly number[]) =>
    one.reduce((sum, value, index) => sum + value * (other[index] ?? Number.NaN), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

const ranked = z.object({ index: z.number(), relevance_score: z.number() });
const rankings = z.object({
  queries: z.array(z.string()),
  documents: z.array(z.string()),
  results: z.array(z.array(ranked)),
});

const reranking: Compare = async (name, expected, place) => {
  const tally = new Tally();
  const { queries, documents, results } = rankings.parse(expected);
  for (const [index, query] of queries.entries()) {
    const answer = z
      .object({ results: z.array(ranked) })
      .parse(await post(place, `/${name}/predict`, { query, documents }));
    for (const [at, one] of (results[index] ?? []).entries()) {
      tally.same(answer.results[at]?.index, one.index);
      tally.near(answer.results[at]?.relevance_score ?? Number.NaN, one.relevance_score);
    }
  }
  return { what: `${queries.length} queries of ${documents.length} documents`, ...tally, bar: 1e-5 };
};

const tableResults = z.object({
  instances: z.array(z.record(z.string(), z.unknown())),
  probabilities: z.array(z.union([z.array(z.number()), z.record(z.string(), z.number())])),
});

const table: Compare = async (name, expected, place) => {
  const tally = new Tally();
  const { instances, probabilities } = tableResults.parse(expected);
  const { predictions } = z
    .object({ predictions: z.array(z.object({ probabilities: z.record(z.string(), z.number()) })) })
    .parse(await post(place, `/${name}/predict/batch`, { instances }));
  for (const [index, { probabilities: received }] of predictions.entries()) {
    const wanted = Object.values(probabilities[index] ?? {});
    for (const [at, value] of Object.values(received).entries()) tally.near(value, wanted[at] ?? Number.NaN);
  }
  return { what: `${instances.length} rows`, ...tally, bar: 1e-5 };
};

const spans = z.array(z.object({ start: z.number(), end: z.number(), score: z.number() }).loose());
const entityResults = z.object({ texts: z.array(z.string()) }).loose();
const entityAnswer = z.object({
  entities: z.array(z.object({ label: z.string(), probability: z.number(), start: z.number(), end: z.number() })),
});

/** Every way to aggregate tokens; in windows where the reference has them. */
const tokenClassification: Compare = async (name, expected, place) => {
  const tally = new Tally();
  const { texts, ...byWay } = entityResults.parse(expected);
  let count = 0;
  for (const [way, results] of Object.entries(byWay)) {
    const aggregation = ['none', 'simple', 'first', 'average', 'max'].find((known) => known === way);
    if (aggregation === undefined) continue;
    for (const [index, entities] of z.array(spans).parse(results).entries()) {
      const query = `?aggregation=${aggregation}&too_long=truncate`;
      const answer = entityAnswer.parse(await post(place, `/${name}/predict${query}`, { text: texts[index] }));
      tally.same(answer.entities.length, entities.length);
      for (const [at, entity] of entities.entries()) {
        const received = answer.entities[at];
        count += 1;
        tally.same(received?.label, entity['entity_group'] ?? entity['entity']);
        tally.same(received?.start, entity.start);
        tally.same(received?.end, entity.end);
        tally.near(received?.probability ?? Number.NaN, entity.score);
      }
    }
  }
  return { what: `${count} entities`, ...tally, bar: 1e-5 };
};

const questionResults = z.object({
  questions: z.array(z.object({ question: z.string(), context: z.string() }).loose()),
  results: z.array(spans),
});
const questionAnswer = z.object({
  answers: z.array(
    z.object({ answer: z.string().nullable(), probability: z.number(), start: z.number(), end: z.number() }),
  ),
});

const questionAnswering: Compare = async (name, expected, place) => {
  const tally = new Tally();
  const { questions, results } = questionResults.parse(expected);
  let count = 0;
  for (const [index, { question, context }] of questions.entries()) {
    const wanted = results[index] ?? [];
    const path = `/${name}/predict?top_k=${wanted.length}`;
    const { answers } = questionAnswer.parse(await post(place, path, { question, context }));
    for (const [at, span] of wanted.entries()) {
      count += 1;
      tally.same(answers[at]?.start, span.start);
      tally.same(answers[at]?.end, span.end);
      tally.near(answers[at]?.probability ?? Number.NaN, span.score);
    }
  }
  return { what: `${count} answers`, ...tally, bar: 1e-5 };
};

/** How the answers of a kind of face are compared with those of its reference. */
export const comparisons: Readonly<Record<string, Compare>> = {
  'image-classification': imageClassification,
  'object-detection': objectDetection,
  'text-classification': textClassification,
  'token-classification': tokenClassification,
  'question-answering': questionAnswering,
  embedding,
  reranking,
  table,
};
