/** Thrown by a check that does not hold, with what came instead. */
export class NotMet extends Error {
  override readonly name = 'NotMet';
}

/** Thrown by a check that cannot be tried, with the reason. */
export class NotTried extends Error {
  override readonly name = 'NotTried';
}

/** @throws NotMet with the message unless the condition holds */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new NotMet(message);
}
