import { describe, expect, it } from 'vitest';
import { readTextLimits, type TextFiles } from '../../src/texts/text-limits.ts';

const limits = (files: Partial<TextFiles>, ids: Record<string, number> = {}, maxLength?: number) =>
  readTextLimits({ tokenizer: {}, model: {}, sentences: {}, ...files }, ids, maxLength);

describe('the most tokens of a text', () => {
  const sentences = { max_seq_length: 256 };
  const tokenizer = { model_max_length: 300 };
  const model = { max_position_embeddings: 400 };
  const endless = { model_max_length: 1e30 };

  it.each([
    ['model.json before all files', limits({ sentences, tokenizer, model }, {}, 100), 100],
    ["sentence-transformers' file before the tokenizer's", limits({ sentences, tokenizer, model }), 256],
    ["the tokenizer's before the positions of the model", limits({ tokenizer, model }), 300],
    ['the positions where the tokenizer has more', limits({ tokenizer: { model_max_length: 500 }, model }), 400],
    [
      'the tokenizer where positions are relative',
      limits({ tokenizer: { model_max_length: 500 }, model: { ...model, relative_attention: true } }),
      500,
    ],
    ['the positions where the tokenizer has no limit', limits({ tokenizer: endless, model }), 400],
    ['the positions where there is no file of the tokenizer', limits({ model }), 400],
    ['a usual one where no file says so', limits({ tokenizer: endless }), 512],
    ['a usual one without files', limits({}), 512],
    ["sentence-transformers' file that says null", limits({ sentences: { max_seq_length: null }, tokenizer }), 300],
    ['a number that is none', limits({ tokenizer: { model_max_length: '300' }, model }), 400],
    ['a fraction', limits({ tokenizer: { model_max_length: 300.5 }, model }), 400],
    ['no token at all', limits({ tokenizer: { model_max_length: 0 }, model }), 400],
    ['a negative one', limits({ tokenizer: { model_max_length: -1 }, model }), 400],
  ])('is that of %s', (_, { maxLength }, expected) => {
    expect(maxLength).toBe(expected);
  });

  it.each([
    ['roberta', 1, 512],
    ['xlm-roberta', 1, 512],
    ['camembert', 1, 512],
    ['mpnet', 1, 512],
    ['roberta', 0, 513],
    ['roberta', undefined, 512],
    ['bert', 1, 514],
    ['distilbert', 0, 514],
    ['roberta-of-mine', 1, 514],
  ])('leaves out the positions before the first of %s with padding %s', (type, padding, expected) => {
    const model = {
      max_position_embeddings: 514,
      model_type: type,
      ...(padding !== undefined && { pad_token_id: padding }),
    };
    expect(limits({ model }).maxLength).toBe(expected);
  });
});

describe('the sides', () => {
  it('are right where nothing else is said', () => {
    expect(limits({})).toMatchObject({ truncationSide: 'right', paddingSide: 'right' });
    expect(limits({ tokenizer: { truncation_side: 'middle', padding_side: 1 } })).toMatchObject({
      truncationSide: 'right',
      paddingSide: 'right',
    });
  });

  it('are those of the file of the tokenizer', () => {
    expect(limits({ tokenizer: { truncation_side: 'left', padding_side: 'left' } })).toMatchObject({
      truncationSide: 'left',
      paddingSide: 'left',
    });
  });
});

describe('the token of padding', () => {
  const ids = { '<pad>': 1, '[PAD]': 7 };
  it.each([
    ['its text', { pad_token: '<pad>' }, {}, 1],
    ['an object with its text', { pad_token: { content: '[PAD]', special: true } }, {}, 7],
    ['the configuration of the model', {}, { pad_token_id: 3 }, 3],
    ['its text before the configuration of the model', { pad_token: '<pad>' }, { pad_token_id: 3 }, 1],
    ['the configuration where the tokenizer has no such token', { pad_token: '<none>' }, { pad_token_id: 3 }, 3],
    ['nothing', {}, {}, 0],
    ['what is no token', { pad_token: { content: 5 } }, { pad_token_id: -1 }, 0],
    ['null', { pad_token: null }, { pad_token_id: null }, 0],
  ])('is that of %s', (_, tokenizer, model, expected) => {
    expect(limits({ tokenizer, model }, ids).padId).toBe(expected);
  });
});
