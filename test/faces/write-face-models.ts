import { join } from 'node:path';
import { shapeClassifier, writeModel } from './classifier-model.ts';
import { writeCompanions } from './fake-tokenizer.ts';
import { boxDetector, colourClassifier, colourFiles, ultralytics } from './picture-models.ts';
import { writeTinyClassifier, writeTinyTexts } from './tiny-texts.ts';

/** A repository with models of records, of pictures and of texts. */
export async function writeFaceModels(repository: string): Promise<void> {
  await writeModel(repository, 'shapes', shapeClassifier);
  await writeModel(repository, 'colours', colourClassifier);
  await writeCompanions(join(repository, 'colours', '1'), colourFiles);
  await writeModel(repository, 'boxes', boxDetector(ultralytics));
  await writeTinyClassifier(repository);
  await writeTinyTexts(repository);
}
