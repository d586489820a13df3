import { AppError } from '../../../errors.ts';
import type { RepositoryParameter } from '../../../open-inference-messages/messages/repository.ts';
import type { LoadParameters } from '../values/load-parameters.ts';

/** The parameters of a load as messages have them: files are bytes. */
export function loadParameters(parameters: ReadonlyMap<string, RepositoryParameter>): LoadParameters {
  return {
    names: [...parameters.keys()],
    text: (name) => required(parameters.get(name), name, 'string'),
    bytes: (name) => required(parameters.get(name), name, 'bytes'),
  };
}

function required<Member extends 'string' | 'bytes'>(
  parameter: RepositoryParameter | undefined,
  name: string,
  member: Member,
): NonNullable<RepositoryParameter[Member]> {
  const value = parameter?.[member];
  if (value !== undefined && value !== null) return value;
  const expected = `${member}_param`;
  const message = `parameters.${name} ${parameter === undefined ? 'is missing' : 'has another type'}: expected ${expected}`;
  throw new AppError('MALFORMED_BODY', { message, expected });
}
