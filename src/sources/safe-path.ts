import { AppError } from '../errors.ts';

/**
 * The parts of a path that comes from elsewhere: an archive, a bucket, a list of checksums.
 *
 * @throws AppError `MODELS_FETCH_FAILED` for one that is absolute, leads upwards, or means something else on another system
 */
export function safePathParts(path: string): string[] {
  const parts = path
    .replace(/\/+$/, '')
    .split('/')
    .filter((part) => part !== '.');
  const isSafe = parts.every((part) => part !== '' && part !== '..' && !/[\\\0:]/.test(part));
  if (isSafe && path.length <= 1024) return parts;
  throw new AppError('MODELS_FETCH_FAILED', {
    message: `The path ${JSON.stringify(path.slice(0, 200))} is refused: expected one below the model repository`,
    received: path,
  });
}
