import { defineDomain } from '../define-domain.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import { Classification, Flower } from './schemas.ts';

export const iris = defineDomain({
  name: 'iris',
  model: 'iris',
  summary: 'Which species of iris has a flower of these measures?',
  input: Flower,
  output: Classification,
  target: 'species',
  examples: [{ sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }],
  encode,
  decode,
});
