import { realpath } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { AppError } from '../../errors.ts';

/**
 * A link must not make a file outside of the repository readable.
 *
 * @throws AppError `MODEL_LOAD_FAILED`
 */
export async function refuseOutside(root: string, path: string): Promise<void> {
  const target = await realpath(path).catch((cause: unknown) => {
    throw new AppError('MODEL_LOAD_FAILED', {
      message: `There is no ${relative(root, path)} in the repository`,
      cause,
    });
  });
  if (target === root || target.startsWith(root.endsWith(sep) ? root : root + sep)) return;
  throw new AppError('MODEL_LOAD_FAILED', {
    message: `${relative(root, path)} is a link that leaves the model repository`,
  });
}
