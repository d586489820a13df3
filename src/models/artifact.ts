import type { AppError } from '../errors.ts';
import type { GraphDefinition } from '../inference/graph/graph-definition.ts';

/** What the registry has to know of a version on disk, whatever it is made of. */
export interface VersionArtifact {
  readonly kind: string;
  readonly version: string;
  /** Changes whenever one of its files, or what is said about it, does. */
  readonly fingerprint: string;
  /** Names of the models that it is made of. @default none */
  readonly members?: readonly string[];
}

/** What holds for every version that lies in a folder. */
interface FolderArtifact extends VersionArtifact {
  /** Path of the file that it is made of. */
  readonly path: string;
  /** The repository, which the file must be in. */
  readonly root: string;
  /** Where the files lie that say how the model is used, such as a tokenizer: the first that has one holds. */
  readonly folders: readonly string[];
  /** Whether the server wrote the files itself, so that they never change. */
  readonly ownedByServer?: boolean;
}

/** A version that ONNX Runtime runs. */
export interface OnnxArtifact extends FolderArtifact {
  readonly kind: 'onnx';
}

/** A version that is made of other models, as its `graph.json` says. */
export interface GraphArtifact extends FolderArtifact {
  readonly kind: 'graph';
  /** What the file says, or what is wrong with it. */
  readonly definition: GraphDefinition | AppError;
  readonly members: readonly string[];
  /** Members that are named with a version or a label. */
  readonly selections: readonly MemberSelection[];
}

/** A version on another server, as its `remote.json` says. */
export interface RemoteArtifact extends FolderArtifact {
  readonly kind: 'remote';
  /** The text of the file. */
  readonly text: string;
}

/** A version that is own code, `model.ts`. */
export interface CodeArtifact extends FolderArtifact {
  readonly kind: 'code';
  /** The text of the file. */
  readonly text: string;
}

export interface MemberSelection {
  readonly name: string;
  /** A version, or one of the `versionLabels` of the member. */
  readonly selector: string;
}

/** What a version can be made of. */
export type Artifact = OnnxArtifact | GraphArtifact | RemoteArtifact | CodeArtifact;
