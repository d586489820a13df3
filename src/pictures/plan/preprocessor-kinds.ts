/**
 * What an image processor of Hugging Face does where its file is silent, as far as it matters to pixels: the attributes of the
 * classes of transformers 5.24. Files that were saved by the library say nearly all of it.
 */
export interface PreprocessorKind {
  /** Whether a lone number in `size` is height and width; otherwise it is the shortest edge. */
  readonly isSquare: boolean;
  readonly size: Readonly<Record<string, number>>;
  /** Height and width of what is cropped, if anything is. */
  readonly crop?: number;
  /** @default whether there is a `crop` */
  readonly crops?: boolean;
  /** 0 nearest, 2 bilinear, 3 bicubic. @default 2 */
  readonly resample?: number;
  readonly mean?: readonly [number, number, number];
  readonly std?: readonly [number, number, number];
  /** Share of the resized picture that is kept. */
  readonly cropPct?: number;
  readonly normalizes?: false;
  readonly flipsChannels?: true;
  readonly pads?: true;
  /** Both sides become multiples of this. */
  readonly divisor?: number;
  /** The shortest edge is made larger by this before the crop. */
  readonly enlarges?: number;
  /** Divides by the deviation twice. */
  readonly dividesTwice?: true;
}

const standard = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
const clip = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const;
const detr = { isSquare: false, size: { shortest_edge: 800, longest_edge: 1333 }, ...imagenet, pads: true } as const;

/** By the name of the class without its ending: `ViTImageProcessorFast` and `ViTFeatureExtractor` are `ViT`. */
const kinds: Readonly<Record<string, PreprocessorKind>> = {
  ViT: { isSquare: true, size: { height: 224, width: 224 }, ...standard },
  DeiT: { isSquare: true, size: { height: 256, width: 256 }, crop: 224, resample: 3, ...standard },
  Beit: { isSquare: true, size: { height: 224, width: 224 }, crop: 224, crops: false, resample: 3, ...standard },
  ConvNext: { isSquare: false, size: { shortest_edge: 384 }, resample: 3, cropPct: 224 / 256, ...standard },
  MobileNetV1: { isSquare: false, size: { shortest_edge: 256 }, crop: 224, ...standard },
  MobileNetV2: { isSquare: false, size: { shortest_edge: 256 }, crop: 224, ...standard },
  MobileViT: {
    isSquare: false,
    size: { shortest_edge: 224 },
    crop: 256,
    resample: 3,
    normalizes: false,
    flipsChannels: true,
  },
  Levit: { isSquare: false, size: { shortest_edge: 224 }, crop: 224, resample: 3, enlarges: 256 / 224, ...imagenet },
  PoolFormer: { isSquare: false, size: { shortest_edge: 224 }, crop: 224, resample: 3, cropPct: 0.9, ...imagenet },
  EfficientNet: {
    isSquare: true,
    size: { height: 346, width: 346 },
    crop: 289,
    crops: false,
    resample: 3,
    dividesTwice: true,
    ...standard,
  },
  EfficientFormer: { isSquare: false, size: { height: 224, width: 224 }, crop: 224, resample: 3, ...imagenet },
  Segformer: { isSquare: true, size: { height: 512, width: 512 }, ...imagenet },
  Pvt: { isSquare: true, size: { height: 224, width: 224 }, resample: 3, ...imagenet },
  Bit: { isSquare: false, size: { shortest_edge: 224 }, crop: 224, resample: 3, ...clip },
  CLIP: { isSquare: false, size: { shortest_edge: 224 }, crop: 224, resample: 3, ...clip },
  Siglip: { isSquare: true, size: { height: 224, width: 224 }, resample: 3, ...standard },
  Detr: detr,
  ConditionalDetr: detr,
  DeformableDetr: detr,
  Yolos: { ...detr, divisor: 16 },
  RTDetr: { isSquare: true, size: { height: 640, width: 640 }, normalizes: false, ...imagenet },
};

/** Kinds that do their steps in another order, or others. */
const strange = new Set(['Perceiver', 'TextNet', 'ImageGPT', 'Donut', 'Nougat', 'Vilt', 'LayoutLMv2', 'LayoutLMv3']);

function baseName(type: string): string {
  return type.replace(/(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/, '');
}

/** The kind that a file names in `image_processor_type` or `feature_extractor_type`; undefined for one that is not known. */
export function preprocessorKind(type: string | null | undefined): PreprocessorKind | undefined {
  const name = baseName(type ?? '');
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

/** Whether what a kind does is known to be none of what can be planned. */
export function isStrangeKind(type: string | null | undefined): boolean {
  return strange.has(baseName(type ?? ''));
}
