import { z } from 'zod';
import { type AnyDomain, defineDomain } from '../../domains/define-domain.ts';
import { queryNumber } from '../../http/terms/query-number.ts';
import { Picture } from '../../pictures/picture-body.ts';
import { classNamesOf } from '../../tensor/class-names.ts';
import { architectureOf } from '../architecture.ts';
import { namesOfConfig, namesOfMetadata } from '../class-names.ts';
import { invalidFace } from '../face-faults.ts';
import { type CreatedFace, defineFaceKind, type FaceSource, type FaceTrace } from '../face-kind.ts';
import { PictureEncoder } from '../picture-input/encode-pictures.ts';
import { examplePicture } from '../picture-input/example-picture.ts';
import { pictureFile } from '../picture-input/picture-file.ts';
import { readPictureSource } from '../picture-input/picture-source.ts';
import { type DetectOptions, detect, detectInSlices } from './detect.ts';
import { Detections } from './detection.ts';
import { classesOf, type DetectionLayout, type DetectorFacts, detectorOutputs, fittingLayouts } from './layouts.ts';

type Source = FaceSource<'object-detection'>;

const usual = { threshold: 0.25, topK: 300, nms: { iou: 0.7, agnostic: false } } as const;

/** The objects in a picture: YOLO in its layouts, DETR and its kin. */
export const objectDetectionKind = defineFaceKind({ kind: 'object-detection', find, create });

async function find({ companions, material }: Source): Promise<FaceTrace> {
  const { metadata, predictor } = material;
  if (metadata.get('task') === 'detect') return 'found';
  const isOlderYolo = metadata.has('stride') && metadata.has('names') && !metadata.has('task');
  if (isOlderYolo) return 'found';
  const architecture = await architectureOf(companions);
  if (!architecture?.endsWith('ForObjectDetection')) return undefined;
  if (!companions.has('preprocessor_config.json')) return { missing: 'preprocessor_config.json is missing' };
  const names = predictor.signature.outputs.map(({ name }) => name);
  const isPair = names.includes('logits') && names.includes('pred_boxes');
  return isPair ? 'found' : { missing: 'the outputs logits and pred_boxes are missing' };
}

async function create({ material, companions, settings, tools }: Source): Promise<CreatedFace> {
  const { name, manifest, metadata, predictor } = material;
  const { outputs: specs } = predictor.signature;
  const config = await companions.object('config.json');
  const source = await readPictureSource({ signature: predictor.signature, companions, metadata, settings });
  const given = specs
    .map((output) => classNamesOf(manifest.labels, output.name))
    .find((labels) => labels !== undefined);
  const labels = given ?? namesOfConfig(config) ?? namesOfMetadata(metadata) ?? [];
  const modelType = config?.['model_type'];
  const layout = chooseLayout(settings?.layout, {
    outputs: specs,
    metadata: Object.fromEntries(metadata),
    ...(typeof modelType === 'string' && { modelType }),
    ...(labels.length > 0 && { classes: labels.length }),
  });
  const outputs = detectorOutputs(layout, specs);
  if (outputs === undefined) throw invalidFace([`face.layout: the outputs do not fit ${layout}: ${specTexts(specs)}`]);
  const classes = classesOf(layout, specs);
  if (classes !== undefined && labels.length > 0 && classes !== labels.length) {
    throw invalidFace([`the layout ${layout} has ${classes} classes, ${labels.length} have names`]);
  }
  const { threshold = usual.threshold, topK = usual.topK, nms = usual.nms } = settings ?? {};
  const encoder = new PictureEncoder(source, tools);
  const example = await examplePicture(companions, settings?.template);
  const domainWith = (options: Pick<DetectOptions, 'threshold' | 'topK'>): AnyDomain =>
    defineDomain({
      name,
      model: name,
      summary: manifest.description ?? 'Which objects are in this picture?',
      input: Picture,
      output: Detections,
      target: 'detections',
      examples: [example],
      unlessIndependent: true,
      file: pictureFile,
      encode: (pictures, _model, context) => encoder.encode(pictures, context),
      decode: (tensors, pictures) =>
        detect(tensors, encoder.framesOf(pictures), { layout, outputs, nms, labels, ...options }),
      decodeInSlices: (tensors, pictures) =>
        detectInSlices(tensors, encoder.framesOf(pictures), { layout, outputs, nms, labels, ...options }),
    });
  return {
    domain: domainWith({ threshold, topK }),
    settings: {
      kind: 'object-detection',
      input: source.input,
      layout,
      threshold,
      topK,
      ...((layout === 'yolov8' || layout === 'yolov5') && { nms }),
      image: source.plan,
      ...(settings?.template !== undefined && { template: settings.template }),
    },
    options: {
      schema: z.object({
        threshold: queryNumber(z.number().min(0).max(1)).optional().describe(`Least probability; absent: ${threshold}`),
        top_k: queryNumber(z.int().min(1).max(1000)).optional().describe(`Most objects; absent: ${topK}`),
      }),
      bind: ({ threshold: least, top_k: most }) =>
        domainWith({
          threshold: typeof least === 'number' ? least : threshold,
          topK: typeof most === 'number' ? most : topK,
        }),
    },
  };
}

function chooseLayout(asked: DetectionLayout | undefined, facts: DetectorFacts): DetectionLayout {
  if (asked !== undefined) return asked;
  const [first, ...others] = fittingLayouts(facts);
  if (first !== undefined && others.length === 0) return first;
  const texts = specTexts(facts.outputs);
  throw invalidFace([
    first === undefined
      ? `no layout of boxes fits the outputs ${texts}: anchors, masks and key points are left to the route of tensors`
      : `face.layout: the outputs ${texts} fit ${[first, ...others].join(' and ')}; add "face": {"kind": "object-detection", "layout": "${first}"} or another of them to model.json`,
  ]);
}

function specTexts(specs: DetectorFacts['outputs']): string {
  return specs.map(({ name, shape }) => `${name} [${shape.join(',')}]`).join(', ');
}
