import type { WrittenUpload } from './model-upload.ts';

/** The uploads that models are loaded from, by the names of the models. */
export class KeptUploads implements AsyncDisposable {
  readonly #uploads = new Map<string, WrittenUpload>();

  /** Whether the model was loaded from an upload. */
  has(model: string): boolean {
    return this.#uploads.has(model);
  }

  /** Keeps the upload of a model, or none, in place of the one before, whose files are deleted. */
  async replace(model: string, upload: WrittenUpload | undefined): Promise<void> {
    const before = this.#uploads.get(model);
    if (upload === undefined) this.#uploads.delete(model);
    else this.#uploads.set(model, upload);
    await before?.remove();
  }

  /** Deletes all files; to be called when nothing is loaded any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#uploads.keys()].map((model) => this.replace(model, undefined)));
  }
}
