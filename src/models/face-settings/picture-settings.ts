import { z } from 'zod';
import { PictureSettings } from '../../pictures/plan/picture-plan.ts';

const template = z
  .record(z.string(), z.string())
  .exactOptional()
  .describe('The example of the documentation: {"image": base64}');

/** What `model.json` says of a face that gives pictures a class. */
export const imageClassificationSettings = z.strictObject({
  kind: z.literal('image-classification').describe('What a picture shows'),
  input: z.string().exactOptional().describe('Input for the pictures; unset: pixel_values, or the only one'),
  output: z.string().exactOptional().describe('Output with the scores; unset: logits, or the only one'),
  topK: z.int().min(1).exactOptional().describe('Most classes of an answer; unset: 5'),
  function: z
    .enum(['softmax', 'sigmoid', 'none'])
    .exactOptional()
    .describe('From scores to probabilities; unset: as the files say'),
  image: PictureSettings.exactOptional(),
  template,
});

/** What `model.json` says of a face that finds objects. */
export const objectDetectionSettings = z.strictObject({
  kind: z.literal('object-detection').describe('The objects in a picture'),
  input: z.string().exactOptional().describe('Input for the pictures; unset: pixel_values, or the only one'),
  layout: z
    .enum(['yolov8', 'yolov5', 'yolov10', 'detr', 'rt-detr'])
    .exactOptional()
    .describe('In which form the model gives boxes and classes; unset: as its shapes and files say'),
  threshold: z.number().min(0).max(1).exactOptional().describe('Least probability of an object; unset: 0.25'),
  topK: z.int().min(1).max(1000).exactOptional().describe('Most objects of a picture; unset: 300'),
  nms: z
    .strictObject({ iou: z.number().min(0).max(1).default(0.7), agnostic: z.boolean().default(false) })
    .exactOptional()
    .describe('Which of the boxes for one object are left out, where the model gives several'),
  image: PictureSettings.exactOptional(),
  template,
});
