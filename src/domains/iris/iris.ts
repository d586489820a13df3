import { defineDomain } from '../define-domain.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import { Classification, Flower } from './schemas.ts';

export const iris = defineDomain({
  name: 'iris',
  model: 'iris',
  signature: {
    inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 4] }],
    outputs: [
      { name: 'label', datatype: 'INT64', shape: [-1] },
      { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
    ],
  },
  optional: true,
  summary: 'Which species of iris has a flower of these measures?',
  input: Flower,
  output: Classification,
  target: 'species',
  examples: [{ sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }],
  encode,
  decode,
});
