import { predictionText } from '../prediction-text.ts';
import type { StoredPrediction } from '../stored-prediction.ts';

/** A prediction a line, as `GET /predictions` has it. */
export async function* writeJsonLines(pages: AsyncIterable<readonly StoredPrediction[]>): AsyncGenerator<string> {
  for await (const page of pages) {
    if (page.length === 0) continue;
    yield page.map((prediction) => `${predictionText(prediction)}\n`).join('');
  }
}
