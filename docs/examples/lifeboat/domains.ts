import { defineDomain, float32, int64, output, type Tensors, text, z } from 'inferd';

const Passenger = z.strictObject({
  class: z.int().min(1).max(3).describe('Class of the ticket'),
  sex: z.enum(['female', 'male']),
  age: z.number().min(0).max(120).nullish().describe('In years; may be missing'),
  relatives: z.int().min(0).max(20).default(0).describe('Parents and children aboard'),
});

const Chance = z.object({
  seat: z.boolean().describe('Whether survival is the more probable'),
  probability: z.number().min(0).max(1),
});

type Passenger = z.output<typeof Passenger>;

/** One named tensor a column. A missing number is NaN, a missing text the empty one, as the model was trained. */
function encode(passengers: readonly Passenger[]): Tensors {
  const shape = [passengers.length];
  const all = <Value>(value: (passenger: Passenger) => Value): Value[] => passengers.map(value);
  return {
    pclass: int64(
      shape,
      all((passenger) => passenger.class),
    ),
    sex: text(
      shape,
      all((passenger) => passenger.sex),
    ),
    age: float32(
      shape,
      all((passenger) => passenger.age ?? Number.NaN),
    ),
    sibsp: int64(
      shape,
      all(() => 0),
    ),
    parch: int64(
      shape,
      all((passenger) => passenger.relatives),
    ),
    fare: float32(
      shape,
      all(() => Number.NaN),
    ),
    embarked: text(
      shape,
      all(() => ''),
    ),
  };
}

function decode(outputs: Tensors): z.output<typeof Chance>[] {
  const survived = output(outputs, 'survived', 'INT64').data;
  const probabilities = output(outputs, 'probability', 'FP32').data;
  return Array.from(survived, (label, row) => ({ seat: label === 1n, probability: probabilities[row] ?? 0 }));
}

export default defineDomain({
  name: 'lifeboat',
  model: 'titanic',
  summary: 'Would this passenger have found a seat in a lifeboat?',
  input: Passenger,
  output: Chance,
  target: 'seat',
  form: true,
  examples: [{ class: 1, sex: 'female', age: 26 }],
  encode,
  decode,
});
