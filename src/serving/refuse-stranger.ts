import { AppError } from '../errors.ts';
import type { CallTerms } from './call-terms.ts';
import type { ServedModel } from './served-model.ts';

/**
 * Of a model that is there for graphs, keeps away all but operators. Work that is done later was let in when it came.
 *
 * @throws AppError `FORBIDDEN`
 */
export function refuseStranger(
  caller: CallTerms['caller'],
  { name, manifest }: Pick<ServedModel, 'name' | 'manifest'>,
): void {
  if (!manifest.internal || caller?.scopes === undefined || caller.scopes.has('admin')) return;
  throw new AppError('FORBIDDEN', {
    message: `The model ${name} is internal: only graphs, and keys with the scope admin, may ask it`,
    received: name,
    expected: 'a key with the scope admin',
  });
}
