import { AppError, type Fault } from '../errors.ts';

/** A text that has too many tokens. */
export interface LongText {
  readonly location: Fault['location'];
  readonly message: string;
  readonly tokens: number;
}

/** @throws AppError `TEXT_TOO_LONG` with a fault for every text, when there is one */
export function refuseLong(long: readonly LongText[], most: number): void {
  const [first] = long;
  if (first === undefined) return;
  throw new AppError('TEXT_TOO_LONG', {
    message: first.message,
    received: `${long.reduce((longest, { tokens }) => Math.max(longest, tokens), 0)} tokens`,
    expected: `at most ${most}`,
    faults: long.map(({ location, message }): Fault => ({ location, type: 'text_too_long', message })),
  });
}
