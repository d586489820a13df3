import { defineDomain } from '../define-domain.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import { Passenger, Survival } from './schemas.ts';

export const titanic = defineDomain({
  name: 'titanic',
  model: 'titanic',
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
