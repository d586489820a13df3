import { z } from 'zod';

const lengthCm = z.number().positive().max(100);

export const Flower = z.strictObject({
  sepal_length: lengthCm.describe('Length of a sepal, in cm'),
  sepal_width: lengthCm.describe('Width of a sepal, in cm'),
  petal_length: lengthCm.describe('Length of a petal, in cm'),
  petal_width: lengthCm.describe('Width of a petal, in cm'),
});

export const species = ['setosa', 'versicolor', 'virginica'] as const;

const probability = z.number().min(0).max(1);

export const Classification = z.object({
  species: z.enum(species).describe('The most probable species'),
  probabilities: z.object({ setosa: probability, versicolor: probability, virginica: probability }),
});

export type Flower = z.output<typeof Flower>;
export type Classification = z.output<typeof Classification>;
