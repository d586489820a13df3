import { AppError } from '../../errors.ts';
import type { ModelUpload } from '../../models/model-upload.ts';
import type { RepositoryParameter } from './messages/repository.ts';

const filePrefix = 'file:';

/**
 * Reads the parameters of a load: `config`, which is the text of a `model.json`, and `file:<version>/<name>` as bytes.
 *
 * @param allowed whether the server takes models by request
 * @returns undefined when there are none: the model is loaded as it is in the repository
 * @throws AppError `MALFORMED_BODY`, or `MODEL_UPLOAD_DISABLED`
 */
export function readLoadParameters(
  parameters: ReadonlyMap<string, RepositoryParameter>,
  allowed: boolean,
): ModelUpload | undefined {
  if (parameters.size === 0) return undefined;
  if (!allowed) {
    const message = 'The server takes no models by request: ALLOW_MODEL_UPLOAD is not set';
    throw new AppError('MODEL_UPLOAD_DISABLED', { message, received: [...parameters.keys()] });
  }
  let config: string | undefined;
  const files = new Map<string, Uint8Array>();
  for (const [name, { string, bytes }] of parameters) {
    if (name === 'config' && string !== undefined) config = string;
    else if (name.startsWith(filePrefix) && bytes !== undefined) files.set(name.slice(filePrefix.length), bytes);
    else throw refuse(`The parameter ${name} is not config (string_param) or file:<version>/<name> (bytes_param)`);
  }
  if (config === undefined) throw refuse('The parameter config is missing');
  return { config, files };
}

function refuse(message: string): AppError {
  return new AppError('MALFORMED_BODY', { message });
}
