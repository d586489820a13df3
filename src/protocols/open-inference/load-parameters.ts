import { AppError } from '../../errors.ts';
import type { ModelUpload } from '../../models/model-upload.ts';
import { type Fields, readString, refuseField } from './fields.ts';

const filePrefix = 'file:';

/**
 * Reads the parameters of a load: `config`, which is the text of a `model.json`, and `file:<version>/<name>` in base64.
 *
 * @param allowed whether the server takes models by request
 * @returns undefined when there are none: the model is loaded as it is in the repository
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md (Load)
 * @throws AppError `MALFORMED_BODY`, or `MODEL_UPLOAD_DISABLED`
 */
export function readLoadParameters(parameters: Fields, allowed: boolean): ModelUpload | undefined {
  const names = Object.keys(parameters);
  if (names.length === 0) return undefined;
  const unknown = names.find((name) => name !== 'config' && !name.startsWith(filePrefix));
  if (unknown !== undefined) {
    const message = `parameters.${unknown}: expected config or file:<version>/<name>`;
    throw new AppError('MALFORMED_BODY', { message, received: unknown });
  }
  if (!allowed) {
    const message = `parameters.${names[0]}: the server takes no models by request; ALLOW_MODEL_UPLOAD is not set`;
    throw new AppError('MODEL_UPLOAD_DISABLED', { message, received: names });
  }
  const files = names
    .filter((name) => name.startsWith(filePrefix))
    .map((name) => [name.slice(filePrefix.length), readBase64(parameters[name], `parameters.${name}`)] as const);
  return { config: readString(parameters['config'], 'parameters.config'), files: new Map(files) };
}

function readBase64(value: unknown, path: string): Uint8Array {
  const text = readString(value, path);
  const bytes = Buffer.from(text, 'base64');
  // Node skips what is not base64.
  if (bytes.toString('base64') !== text) throw refuseField(path, value, 'base64');
  return bytes;
}
