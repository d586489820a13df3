import { defineDomain, float32, output, z } from 'inferd';

const species = ['setosa', 'versicolor', 'virginica'];
const cm = z.number().positive().max(100);

const flower = defineDomain({
  name: 'flower',
  model: 'iris',
  summary: 'Which species of iris has a flower of these measures?',
  input: z.strictObject({
    sepal: z.strictObject({ length: cm, width: cm }).describe('In cm'),
    petal: z.strictObject({ length: cm, width: cm }).describe('In cm'),
  }),
  output: z.object({ species: z.enum(species), probability: z.number() }),
  target: 'species',
  examples: [{ sepal: { length: 5.9, width: 3 }, petal: { length: 5.1, width: 1.8 } }],
  encode: (flowers) => ({
    features: float32(
      [flowers.length, 4],
      flowers.flatMap(({ sepal, petal }) => [sepal.length, sepal.width, petal.length, petal.width]),
    ),
  }),
  decode: (outputs) => {
    const labels = output(outputs, 'label', 'INT64').data;
    const probabilities = output(outputs, 'probabilities', 'FP32').data;
    return Array.from(labels, (label, row) => ({
      species: species[Number(label)],
      probability: probabilities[row * species.length + Number(label)],
    }));
  },
});

export default flower;
