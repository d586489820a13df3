/** Members of a JSON file of a model. */
type JsonObject = Readonly<Record<string, unknown>>;

/** The files that say how texts become tokens; those that are not there are empty. */
export interface TextFiles {
  /** `tokenizer_config.json` */
  readonly tokenizer: JsonObject;
  /** `config.json` */
  readonly model: JsonObject;
  /** `sentence_bert_config.json` */
  readonly sentences: JsonObject;
}

export type Side = 'left' | 'right';

/** How many tokens there may be, and where they are cut and padded. */
export interface TextLimits {
  /** Most tokens of a run, special ones included. */
  readonly maxLength: number;
  readonly truncationSide: Side;
  readonly paddingSide: Side;
  readonly padId: number;
}

/** Where no file says so; most models of texts have as many positions. */
const usualMaxLength = 512;
/** Tokenizers without a limit have 10^30 or so. */
const mostBelievable = 1e9;
/** They count positions from the one behind that of padding. Source: `create_position_ids_from_input_ids` of transformers. */
const offsetModels =
  /^(?:roberta|xlm-roberta|xlm-roberta-xl|camembert|longformer|mpnet|roberta-prelayernorm|data2vec-text|luke)$/;

/**
 * The limits of a model, of what its files say: sentence-transformers' own goes before the tokenizer's, which is believed as
 * far as the model has positions.
 *
 * @param ids of the tokens that files name
 * @param maxLength goes before all files
 */
export function readTextLimits(
  { tokenizer, model, sentences }: TextFiles,
  ids: Readonly<Record<string, number>>,
  maxLength?: number,
): TextLimits {
  const ofSentences = wholeNumber(sentences['max_seq_length']);
  const ofTokenizer = wholeNumber(tokenizer['model_max_length']);
  return {
    maxLength: maxLength ?? ofSentences ?? ofTokenizerAndModel(ofTokenizer, model) ?? usualMaxLength,
    truncationSide: sideOf(tokenizer['truncation_side']),
    paddingSide: sideOf(tokenizer['padding_side']),
    padId: namedId(tokenizer['pad_token'], ids) ?? wholeNumber(model['pad_token_id'], 0) ?? 0,
  };
}

function ofTokenizerAndModel(ofTokenizer: number | undefined, model: JsonObject): number | undefined {
  const positions = positionsOf(model);
  if (ofTokenizer === undefined || positions === undefined) return ofTokenizer ?? positions;
  // Positions that are relative, as in DeBERTa, end nowhere.
  return model['relative_attention'] === true ? ofTokenizer : Math.min(ofTokenizer, positions);
}

function positionsOf(model: JsonObject): number | undefined {
  const positions = wholeNumber(model['max_position_embeddings']);
  if (positions === undefined || !offsetModels.test(String(model['model_type']))) return positions;
  return positions - ((wholeNumber(model['pad_token_id'], 0) ?? 1) + 1);
}

function wholeNumber(value: unknown, least = 2): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= mostBelievable
    ? value
    : undefined;
}

function sideOf(value: unknown): Side {
  return value === 'left' ? 'left' : 'right';
}

/** Id of a token as configurations write it: its text, or an object with it. */
export function namedId(value: unknown, ids: Readonly<Record<string, number>>): number | undefined {
  if (typeof value === 'string') return Object.hasOwn(ids, value) ? ids[value] : undefined;
  return typeof value === 'object' && value !== null && 'content' in value && typeof value.content === 'string'
    ? namedId(value.content, ids)
    : undefined;
}
