import { defineDomain } from '../define-domain.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import { Sentiment, Text } from './schemas.ts';

export const sentiment = defineDomain({
  name: 'sentiment',
  model: 'sentiment',
  signature: {
    inputs: [{ name: 'codes', datatype: 'INT32', shape: [-1, -1] }],
    outputs: [{ name: 'probability', datatype: 'FP32', shape: [-1] }],
  },
  optional: true,
  summary: 'Is this text positive or negative?',
  input: Text,
  output: Sentiment,
  target: 'label',
  examples: [{ text: '정말 재미있는 영화였어요' }, { text: 'A dull film with a wooden cast.' }],
  encode,
  decode,
});
