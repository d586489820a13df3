import { defineDomain } from '../define-domain.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import { Passenger, Survival } from './schemas.ts';

export const titanic = defineDomain({
  name: 'titanic',
  model: 'titanic',
  signature: {
    inputs: [
      { name: 'pclass', datatype: 'INT64', shape: [-1] },
      { name: 'sex', datatype: 'BYTES', shape: [-1] },
      { name: 'age', datatype: 'FP32', shape: [-1] },
      { name: 'sibsp', datatype: 'INT64', shape: [-1] },
      { name: 'parch', datatype: 'INT64', shape: [-1] },
      { name: 'fare', datatype: 'FP32', shape: [-1] },
      { name: 'embarked', datatype: 'BYTES', shape: [-1] },
    ],
    outputs: [
      { name: 'survived', datatype: 'INT64', shape: [-1] },
      { name: 'probability', datatype: 'FP32', shape: [-1] },
    ],
  },
  optional: true,
  summary: 'Would this passenger have survived?',
  input: Passenger,
  output: Survival,
  target: 'survived',
  examples: [
    { pclass: 1, sex: 'female', age: 38, sibsp: 1, parch: 0, fare: 71.28, embarked: 'C' },
    { pclass: 3, sex: 'male' },
  ],
  form: true,
  encode,
  decode,
});
