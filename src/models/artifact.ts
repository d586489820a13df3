/** What the registry has to know of a version on disk, whatever it is made of. */
export interface VersionArtifact {
  readonly kind: string;
  readonly version: string;
  /** Changes whenever one of its files, or what is said about it, does. */
  readonly fingerprint: string;
  /** Names of the models that it is made of. @default none */
  readonly members?: readonly string[];
}

/** A version that ONNX Runtime runs. */
export interface OnnxArtifact extends VersionArtifact {
  readonly kind: 'onnx';
  /** Path of the ONNX file. */
  readonly path: string;
  /** The repository, which the file must be in. */
  readonly root: string;
  /** Where the files lie that say how the model is used, such as a tokenizer: the first that has one holds. */
  readonly folders: readonly string[];
  /** Whether the server wrote the files itself, so that they never change. */
  readonly ownedByServer?: boolean;
}

/** What a version can be made of. */
export type Artifact = OnnxArtifact;
