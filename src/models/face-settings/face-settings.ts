import { z } from 'zod';
import { imageClassificationSettings, objectDetectionSettings } from './picture-settings.ts';
import { tableSettings } from './table-settings.ts';
import {
  embeddingSettings,
  questionAnsweringSettings,
  rerankingSettings,
  textClassificationSettings,
  tokenClassificationSettings,
} from './text-settings.ts';

/** `face` of `model.json`. What is given goes before what the files beside the graph say, key by key. */
export const faceSettings = z.union(
  [
    z.literal(false).describe('No typed route'),
    z.discriminatedUnion('kind', [
      imageClassificationSettings,
      objectDetectionSettings,
      textClassificationSettings,
      tokenClassificationSettings,
      questionAnsweringSettings,
      embeddingSettings,
      rerankingSettings,
      tableSettings,
    ]),
  ],
  { error: faceError },
);

export type FaceSettings = Exclude<z.output<typeof faceSettings>, false>;

function faceError(issue: { readonly input?: unknown }): string | undefined {
  const { input } = issue;
  return typeof input === 'object' && input !== null ? undefined : 'expected false, or an object with a kind';
}
