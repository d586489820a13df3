import type { LoadedVersion } from '../../models/registry/loaded-version.ts';
import { exampleRequest } from '../example-request.ts';

/** What of a domain the page needs. */
export interface Face {
  readonly name: string;
  readonly model: string;
  readonly examples: readonly unknown[];
}

export interface CurlOptions {
  /** Where the server is reached, without a slash at the end. */
  readonly origin: string;
  /** Whether requests need an API key. */
  readonly needsKey: boolean;
}

/** A longer body says more of its size than of the model. */
const maxBodyLength = 4000;

/** A command that predicts with the model, by its domain if it has one. Undefined when its body would be too long. */
export function curlOf(
  model: string,
  served: LoadedVersion | undefined,
  face: Face | undefined,
  options: CurlOptions,
): string | undefined {
  const example = face?.examples[0] ?? genericExample(served);
  if (example === undefined) return undefined;
  const body = JSON.stringify(example);
  if (body.length > maxBodyLength) return undefined;
  const path = face === undefined ? `/models/${model}/predict` : `/${face.name}/predict`;
  const key = options.needsKey ? ` -H "x-api-key: $INFERD_KEY"` : '';
  return `curl -s ${quote(options.origin + path)}${key} -H 'content-type: application/json' -d ${quote(body)}`;
}

function genericExample(served: LoadedVersion | undefined): object | undefined {
  if (served?.predictor === undefined) return undefined;
  return exampleRequest(served.engine?.example);
}

/** A word of a POSIX shell that stands for the text, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
