import type { Manifest } from '../models/manifest.ts';
import type { Lease } from '../models/registry/lease.ts';
import type { VersionFace } from '../models/version-face.ts';
import type { Signature } from '../tensor/tensor.ts';

/** A model as an encoder sees it. */
export interface ServedModel {
  readonly name: string;
  readonly version: string;
  readonly signature: Signature;
  readonly manifest: Manifest;
  /** Whether requests share runs, so that dimension 0 of every input and output counts rows. */
  readonly independentRows: boolean;
  /** How clients use it that send no tensors. @default none */
  readonly face?: VersionFace | undefined;
}

export function servedModelOf({
  name,
  version,
  manifest,
  predictor,
  face,
}: Omit<Lease, 'engine' | 'release'>): ServedModel {
  return {
    name,
    version,
    manifest,
    signature: predictor.signature,
    independentRows: predictor.independentRows,
    face,
  };
}
