import { AppError } from '../errors.ts';
import { type Caller, mayUseModel } from './caller.ts';

/** The error of an unknown model, with the names of the models that there are and that the caller may use. */
export function tellModels(error: AppError, caller: Caller | undefined): AppError {
  const { code, message, received, expected } = error;
  if (code !== 'MODEL_NOT_FOUND' || !Array.isArray(expected)) return error;
  const models = expected.filter((model) => typeof model === 'string' && mayUseModel(caller, model));
  const told = `${message}; there are: ${models.join(', ') || 'none'}`;
  return new AppError(code, { message: told, received, expected: models, cause: error.cause });
}
