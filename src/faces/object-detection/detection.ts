import { z } from 'zod';

const pixels = z.number().min(0);

/** The objects in a picture. */
export const Detections = z.object({
  detections: z
    .array(
      z.object({
        label: z.string(),
        index: z.int().min(0).describe('Which class of the model this is'),
        probability: z.number().min(0).max(1),
        box: z
          .object({ x_min: pixels, y_min: pixels, x_max: pixels, y_max: pixels })
          .describe('In pixels from the top left of the picture as it is shown'),
      }),
    )
    .describe('Most probable first'),
  width: z.int().min(1).describe('Pixels of the picture as it is shown'),
  height: z.int().min(1).describe('Pixels of the picture as it is shown'),
});
export type Detections = z.output<typeof Detections>;
export type Detection = Detections['detections'][number];
