import { AppError } from '../../../errors.ts';
import type { ModelUpload } from '../../../models/repository/model-upload.ts';

const filePrefix = 'file:';

/** The parameters of a load as a transport has them. */
export interface LoadParameters {
  readonly names: readonly string[];
  /** @throws AppError `MALFORMED_BODY` when the parameter is no text */
  text(name: string): string;
  /** @throws AppError `MALFORMED_BODY` when the parameter is not what the transport writes bytes as */
  bytes(name: string): Uint8Array;
}

/**
 * Reads the parameters of a load: `config`, which is the text of a `model.json`, and `file:<version>/<name>`, which is
 * that file.
 *
 * @param allowed whether the server takes models by request
 * @returns undefined when there are none: the model is loaded as it is in the repository
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md (Load)
 * @throws AppError `MALFORMED_BODY`, or `MODEL_UPLOAD_DISABLED`
 */
export function readUpload(parameters: LoadParameters, allowed: boolean): ModelUpload | undefined {
  const { names } = parameters;
  const [first] = names;
  if (first === undefined) return undefined;
  const unknown = names.find((name) => name !== 'config' && !name.startsWith(filePrefix));
  if (unknown !== undefined) {
    const message = `parameters.${unknown}: expected config or file:<version>/<name>`;
    throw new AppError('MALFORMED_BODY', { message, received: unknown });
  }
  if (!allowed) {
    const message = `parameters.${first}: the server takes no models by request; ALLOW_MODEL_UPLOAD is not set`;
    throw new AppError('MODEL_UPLOAD_DISABLED', { message, received: names });
  }
  const files = names
    .filter((name) => name.startsWith(filePrefix))
    .map((name) => [name.slice(filePrefix.length), parameters.bytes(name)] as const);
  return { config: parameters.text('config'), files: new Map(files) };
}
