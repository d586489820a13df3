import { list } from './values.ts';

export const remoteVariables = {
  REMOTE_SECRETS: list().describe(
    'Names of environment variables that a remote.json may have in its headers, with commas between; unset: none',
  ),
};

/** What a `remote.json` may name of the environment, with the values; undefined for what the environment does not have. */
export function readRemoteSecrets(
  environment: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string | undefined> {
  const names = remoteVariables.REMOTE_SECRETS.parse(environment['REMOTE_SECRETS']);
  return new Map(names.map((name) => [name, environment[name]]));
}
