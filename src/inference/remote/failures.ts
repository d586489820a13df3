import { AppError, hideFolders } from '../../errors.ts';
import { type Reach, RemoteFailure } from './remote-failure.ts';

/** Most characters of what another server says of itself. */
const mostCharacters = 500;
/** Longest time after which a client is told to try again, in seconds. */
const longestRetryS = 3600;

/** The server could not be reached, or the connection ended before anything of an answer. */
export function unreachable(why: string, reach: Reach = 'unreachable', cause?: unknown): RemoteFailure {
  const message = `The remote server of the model cannot be reached: ${why}`;
  return new RemoteFailure(new AppError('REMOTE_UNREACHABLE', { message, retryAfterSeconds: 1, cause }), reach);
}

/** The answer is none that can be used. */
export function unusable(why: string, cause?: unknown): RemoteFailure {
  const message = `The remote server of the model gave no usable answer: ${saidBy(why) ?? 'nothing'}`;
  return new RemoteFailure(new AppError('REMOTE_FAILED', { message, cause }), 'answered');
}

/** The server refused the input; what it says of it is for the client. */
export function refused(said: string | undefined): RemoteFailure {
  const message = saidBy(said) ?? 'it does not say why';
  return new RemoteFailure(new AppError('MODEL_REFUSED_INPUT', { message }), 'answered');
}

export function overloaded(said: string | undefined, retryAfterSeconds: number | undefined): RemoteFailure {
  const message = `The remote server of the model is overloaded: ${saidBy(said) ?? 'it does not say why'}`;
  const seconds = Math.min(longestRetryS, Math.max(1, Math.ceil(retryAfterSeconds ?? 1)));
  return new RemoteFailure(new AppError('QUEUE_FULL', { message, retryAfterSeconds: seconds }), 'answered');
}

export function late(): RemoteFailure {
  const message = 'The deadline passed on the remote server of the model';
  return new RemoteFailure(new AppError('DEADLINE_EXCEEDED', { message }), 'answered');
}

/** What another server says, short and in one line, without the folders of its machine; undefined for nothing. */
export function saidBy(text: string | undefined): string | undefined {
  const line = hideFolders(text?.slice(0, 4 * mostCharacters) ?? '')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a log or a terminal
    .replace(/[\x00-\x1f\x7f-\x9f\s]+/g, ' ')
    .trim();
  if (line === '') return undefined;
  return line.length <= mostCharacters ? line : `${line.slice(0, mostCharacters).toWellFormed()}…`;
}

/** The call was given up here; why is known to the one who did. */
export function abandoned(): RemoteFailure {
  return new RemoteFailure(new AppError('CLIENT_GONE', { message: 'The call was given up' }), 'answered');
}
