import type { Tensors } from '../../tensor/tensor.ts';
import { output } from '../output.ts';
import type { Sentiment, Text } from './schemas.ts';

const hangul = /\p{Script=Hangul}/u;

export function decode(outputs: Tensors, texts: readonly Text[]): Sentiment[] {
  const positive = output(outputs, 'probability', 'FP32').data;
  return texts.map(({ text }, row) => {
    const probability = positive[row] ?? 0;
    const language = hangul.test(text) ? 'ko' : 'en';
    return probability >= 0.5
      ? { label: 'positive', probability, language }
      : { label: 'negative', probability: 1 - probability, language };
  });
}
