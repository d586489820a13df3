import { z } from 'zod';

export const Passenger = z.strictObject({
  pclass: z.int().min(1).max(3).describe('Class of the ticket: 1, 2 or 3'),
  sex: z.enum(['female', 'male']),
  age: z.number().min(0).max(120).nullish().describe('Age in years; may be missing'),
  sibsp: z.int().min(0).max(20).default(0).describe('Siblings and spouses aboard'),
  parch: z.int().min(0).max(20).default(0).describe('Parents and children aboard'),
  fare: z.number().min(0).max(10_000).nullish().describe('Price of the ticket in pounds; may be missing'),
  embarked: z
    .enum(['C', 'Q', 'S'])
    .nullish()
    .describe('Port: C for Cherbourg, Q for Queenstown, S for Southampton; may be missing'),
});

export const Survival = z.object({
  survived: z.union([z.literal(0), z.literal(1)]).describe('1 if survival is the more probable'),
  probability: z.number().min(0).max(1).describe('Probability of survival'),
  message: z.string().describe('The result in a sentence'),
});

export type Passenger = z.output<typeof Passenger>;
export type Survival = z.output<typeof Survival>;
