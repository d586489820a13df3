import { join } from 'node:path';
import { float, int64, type Model } from '../helpers/onnx-model.ts';
import { writeModel } from './classifier-model.ts';
import { writeCompanions } from './fake-tokenizer.ts';

const words = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  'cats',
  'dogs',
  'meow',
  'bark',
  'and',
  'sleep',
  'a',
  'good',
  'bad',
  'film',
];

const special = (content: string) => ({
  id: words.indexOf(content),
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

const piece = (content: string) => ({ SpecialToken: { id: content, type_id: 0 } });
const ofText = (id: 'A' | 'B') => ({ Sequence: { id, type_id: id === 'A' ? 0 : 1 } });

/** A `tokenizer.json` of some words. */
export const tinyTokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: words.slice(0, 4).map(special),
  normalizer: null,
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [piece('[CLS]'), ofText('A'), piece('[SEP]')],
    pair: [piece('[CLS]'), ofText('A'), piece('[SEP]'), ofText('B'), piece('[SEP]')],
    special_tokens: Object.fromEntries(
      ['[CLS]', '[SEP]'].map((token) => [token, { id: token, ids: [words.indexOf(token)], tokens: [token] }]),
    ),
  },
  decoder: null,
  model: { type: 'WordLevel', vocab: Object.fromEntries(words.map((word, id) => [word, id])), unk_token: '[UNK]' },
};

const tokens = { element: int64, shape: ['batch', 'sequence'] };
const inputs = { input_ids: tokens, attention_mask: tokens };
const toFloat = { name: 'to', int: float };
const axes = (name: string, ...list: number[]) => ({
  name,
  type: int64,
  dims: [list.length],
  int64s: list.map(BigInt),
});

/** For each token its id and the square of it. */
const embedder: Model = {
  opsets: { '': 13 },
  inputs,
  outputs: { last_hidden_state: { element: float, shape: ['batch', 'sequence', 2] } },
  initializers: [axes('last', 2)],
  nodes: [
    { op: 'Cast', inputs: ['input_ids'], outputs: ['id'], attributes: [toFloat] },
    { op: 'Mul', inputs: ['id', 'id'], outputs: ['square'] },
    { op: 'Unsqueeze', inputs: ['id', 'last'], outputs: ['first'] },
    { op: 'Unsqueeze', inputs: ['square', 'last'], outputs: ['second'] },
    {
      op: 'Concat',
      inputs: ['first', 'second'],
      outputs: ['last_hidden_state'],
      attributes: [{ name: 'axis', int: 2 }],
    },
  ],
};

/** What each word says for a text being positive. */
const moods = words.map((word) => ({ good: 3, bad: -3, bark: -1 })[word] ?? 0);

const classifier: Model = {
  opsets: { '': 13 },
  inputs,
  outputs: { logits: { element: float, shape: ['batch', 2] } },
  initializers: [
    axes('axis', 1),
    { name: 'moods', type: float, dims: [moods.length], raw: new Uint8Array(Float32Array.from(moods).buffer) },
    { name: 'signs', type: float, dims: [1, 2], raw: new Uint8Array(Float32Array.of(-0.5, 0.5).buffer) },
  ],
  nodes: [
    { op: 'Gather', inputs: ['moods', 'input_ids'], outputs: ['mood'] },
    { op: 'Cast', inputs: ['attention_mask'], outputs: ['mask'], attributes: [toFloat] },
    { op: 'Mul', inputs: ['mood', 'mask'], outputs: ['seen'] },
    { op: 'ReduceSum', inputs: ['seen', 'axis'], outputs: ['sum'] },
    { op: 'Mul', inputs: ['sum', 'signs'], outputs: ['logits'] },
  ],
};

/** The sum of the ids of a pair. */
const ranker: Model = {
  opsets: { '': 13 },
  inputs,
  outputs: { logits: { element: float, shape: ['batch', 1] } },
  initializers: [axes('axis', 1)],
  nodes: [
    { op: 'Mul', inputs: ['input_ids', 'attention_mask'], outputs: ['seen'] },
    { op: 'Cast', inputs: ['seen'], outputs: ['values'], attributes: [toFloat] },
    { op: 'ReduceSum', inputs: ['values', 'axis'], outputs: ['logits'] },
  ],
};

/** Writes a model that says whether a text is positive. */
export async function writeTinyClassifier(repository: string): Promise<void> {
  await writeModel(repository, 'mood', classifier);
  await writeCompanions(join(repository, 'mood', '1'), {
    'tokenizer.json': tinyTokenizer,
    'config.json': {
      architectures: ['BertForSequenceClassification'],
      id2label: { 0: 'negative', 1: 'positive' },
      max_position_embeddings: 32,
    },
  });
}

/** 7 for the words that are names of animals. */
const animals = words.map((word) => (word === 'cats' || word === 'dogs' ? 7 : 0));

const tagger: Model = {
  opsets: { '': 13 },
  inputs,
  outputs: { logits: { element: float, shape: ['batch', 'sequence', 2] } },
  initializers: [
    axes('last', 2),
    { name: 'animals', type: float, dims: [animals.length], raw: new Uint8Array(Float32Array.from(animals).buffer) },
  ],
  nodes: [
    { op: 'Gather', inputs: ['animals', 'input_ids'], outputs: ['yes'] },
    { op: 'Sub', inputs: ['yes', 'yes'], outputs: ['no'] },
    { op: 'Unsqueeze', inputs: ['no', 'last'], outputs: ['first'] },
    { op: 'Unsqueeze', inputs: ['yes', 'last'], outputs: ['second'] },
    { op: 'Concat', inputs: ['first', 'second'], outputs: ['logits'], attributes: [{ name: 'axis', int: 2 }] },
  ],
};

/** Answers are where the ids of tokens are greatest. */
const reader: Model = {
  opsets: { '': 13 },
  inputs,
  outputs: {
    start_logits: { element: float, shape: ['batch', 'sequence'] },
    end_logits: { element: float, shape: ['batch', 'sequence'] },
  },
  nodes: [
    { op: 'Mul', inputs: ['input_ids', 'input_ids'], outputs: ['squares'] },
    { op: 'Cast', inputs: ['squares'], outputs: ['start_logits'], attributes: [toFloat] },
    { op: 'Cast', inputs: ['squares'], outputs: ['end_logits'], attributes: [toFloat] },
  ],
};

/** Writes a model that finds animals in texts, and one that answers questions. */
export async function writeTinyReaders(repository: string): Promise<void> {
  await writeModel(repository, 'names', tagger);
  await writeCompanions(join(repository, 'names', '1'), {
    'tokenizer.json': tinyTokenizer,
    'config.json': {
      architectures: ['BertForTokenClassification'],
      id2label: { 0: 'O', 1: 'B-ANIMAL' },
      max_position_embeddings: 32,
    },
  });
  await writeModel(repository, 'answers', reader);
  await writeCompanions(join(repository, 'answers', '1'), {
    'tokenizer.json': tinyTokenizer,
    'config.json': { architectures: ['BertForQuestionAnswering'], max_position_embeddings: 32 },
  });
}

/** Writes a model that embeds texts, and one that reranks them. */
export async function writeTinyTexts(repository: string): Promise<void> {
  await writeModel(repository, 'embedder', embedder);
  await writeCompanions(join(repository, 'embedder', '1'), {
    'tokenizer.json': tinyTokenizer,
    'config.json': { architectures: ['BertModel'], max_position_embeddings: 32 },
  });
  await writeModel(repository, 'ranker', ranker);
  await writeCompanions(join(repository, 'ranker', '1'), {
    'tokenizer.json': tinyTokenizer,
    'config.json': {
      architectures: ['BertForSequenceClassification'],
      id2label: { 0: 'LABEL_0' },
      max_position_embeddings: 32,
    },
  });
}

/** Two numbers for each word, out of a table that has no more of them. */
const lookup: Model = {
  opsets: { '': 13 },
  inputs,
  outputs: { last_hidden_state: { element: float, shape: ['batch', 'sequence', 2] } },
  initializers: [
    {
      name: 'table',
      type: float,
      dims: [words.length, 2],
      raw: new Uint8Array(Float32Array.from(words.flatMap((_, id) => [id, 1])).buffer),
    },
  ],
  nodes: [{ op: 'Gather', inputs: ['table', 'input_ids'], outputs: ['last_hidden_state'] }],
};

/** Writes an embedder that knows its own words alone. */
export async function writeTinyLookup(repository: string): Promise<void> {
  await writeModel(repository, 'lookup', lookup);
  await writeCompanions(join(repository, 'lookup', '1'), {
    'tokenizer.json': tinyTokenizer,
    'config.json': { architectures: ['BertModel'], max_position_embeddings: 32 },
  });
}
