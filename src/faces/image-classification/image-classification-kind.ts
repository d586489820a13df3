import { z } from 'zod';
import { type AnyDomain, defineDomain } from '../../domains/define-domain.ts';
import { queryNumber } from '../../http/terms/query-number.ts';
import { Picture } from '../../pictures/picture-body.ts';
import { classNamesOf } from '../../tensor/class-names.ts';
import { architectureOf } from '../architecture.ts';
import { namesOfConfig, namesOfMetadata } from '../class-names.ts';
import { scoresOutput } from '../class-output.ts';
import { type CreatedFace, defineFaceKind, type FaceSource, type FaceTrace } from '../face-kind.ts';
import { PictureEncoder } from '../picture-input/encode-pictures.ts';
import { examplePicture } from '../picture-input/example-picture.ts';
import { pictureFile } from '../picture-input/picture-file.ts';
import { readPictureSource } from '../picture-input/picture-source.ts';
import { Classification } from './classification.ts';
import { type ClassFunction, classify } from './classify.ts';

type Source = FaceSource<'image-classification'>;

const usualTopK = 5;

/** What a picture shows: classifiers of Hugging Face, and of Ultralytics. */
export const imageClassificationKind = defineFaceKind({
  kind: 'image-classification',
  find,
  create,
});

async function find({ companions, material }: Source): Promise<FaceTrace> {
  if (material.metadata.get('task') === 'classify') return 'found';
  const architecture = await architectureOf(companions);
  if (!architecture?.endsWith('ForImageClassification')) return undefined;
  return companions.has('preprocessor_config.json') ? 'found' : { missing: 'preprocessor_config.json is missing' };
}

async function create({ material, companions, settings, tools }: Source): Promise<CreatedFace> {
  const { name, manifest, metadata, predictor } = material;
  const config = await companions.object('config.json');
  const source = await readPictureSource({ signature: predictor.signature, companions, metadata, settings });
  const names = namesOfConfig(config) ?? namesOfMetadata(metadata);
  const output = scoresOutput(predictor.signature, settings?.output);
  const labels = classNamesOf(manifest.labels, output.name) ?? names ?? [];
  output.checkLabels(labels);
  const scores = settings?.function ?? usualFunction(config, metadata);
  const topK = settings?.topK ?? usualTopK;
  const encoder = new PictureEncoder(source, tools);
  const example = await examplePicture(companions, settings?.template);
  const domainWith = (most: number): AnyDomain =>
    defineDomain({
      name,
      model: name,
      summary: manifest.description ?? 'What does this picture show?',
      input: Picture,
      output: Classification,
      target: 'label',
      examples: [example],
      unlessIndependent: true,
      file: pictureFile,
      encode: (pictures, _model, context) => encoder.encode(pictures, context),
      decode: (outputs) =>
        classify(output.of(outputs), { function: scores, topK: most, labels, source: output.source }),
    });
  return {
    domain: domainWith(topK),
    settings: {
      kind: 'image-classification',
      input: source.input,
      output: output.name,
      topK,
      function: scores,
      image: source.plan,
      ...(settings?.template !== undefined && { template: settings.template }),
    },
    options: {
      schema: z.object({
        top_k: queryNumber(z.int().min(1).max(100_000)).optional().describe(`Most classes; absent: ${topK}`),
      }),
      bind: ({ top_k: most }) => domainWith(typeof most === 'number' ? most : topK),
    },
  };
}

function usualFunction(
  config: Readonly<Record<string, unknown>> | undefined,
  metadata: ReadonlyMap<string, string>,
): ClassFunction {
  // Ultralytics exports probabilities.
  if (metadata.get('task') === 'classify') return 'none';
  return config?.['problem_type'] === 'multi_label_classification' ? 'sigmoid' : 'softmax';
}
