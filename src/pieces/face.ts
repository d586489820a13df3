import type { AnyDomain } from '../domains/define-domain.ts';

export interface LoadFaceOptions {
  /** Most threads that resize pictures. @default half the cores, at least 1 */
  readonly pictureThreads?: number;
}

/** A face that was found in the files of a model, as a domain to build on. */
export interface LoadedFace {
  /** Such as `image-classification`. */
  readonly kind: string;
  /** The whole face as `model.json` would say it. */
  readonly settings: Readonly<Record<string, unknown>>;
  /**
   * The domain of the face: its `name` and `model` are those of the folder. A domain of one's own takes over what it does not
   * change: `{ ...face.domain, name: 'animals', decode }`.
   */
  readonly domain: AnyDomain;
  /** Ends the threads and the process that it uses. The domain cannot be used any more. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
