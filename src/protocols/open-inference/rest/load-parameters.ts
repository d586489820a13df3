import type { LoadParameters } from '../values/load-parameters.ts';
import { type Fields, readString, refuseField } from './fields.ts';

/** The parameters of a load as JSON has them: files are in base64. */
export function loadParameters(parameters: Fields): LoadParameters {
  return {
    names: Object.keys(parameters),
    text: (name) => readString(parameters[name], `parameters.${name}`),
    bytes: (name) => readBase64(parameters[name], `parameters.${name}`),
  };
}

function readBase64(value: unknown, path: string): Uint8Array {
  const text = readString(value, path);
  const bytes = Buffer.from(text, 'base64');
  // Node skips what is not base64.
  if (bytes.toString('base64') !== text) throw refuseField(path, value, 'base64');
  return bytes;
}
