/** How an answer differs from the expected one. */
export interface Difference {
  /** The largest difference of two numbers. */
  readonly largest: number;
  /** Where something else than a number differs, or a number by more than the tolerance; empty when nothing does. */
  readonly faults: readonly string[];
}

/**
 * Compares two values of JSON, the numbers within a tolerance. Members that the expected value does not have are not looked at.
 *
 * @param place where the values stand, for the faults
 */
export function compareAnswers(expected: unknown, received: unknown, tolerance: number, place = ''): Difference {
  if (typeof expected === 'number' && typeof received === 'number') {
    const largest = Math.abs(expected - received);
    const isFault = !(largest <= tolerance);
    return { largest, faults: isFault ? [`${place || 'it'}: expected ${expected}, received ${received}`] : [] };
  }
  if (Array.isArray(expected) && Array.isArray(received)) {
    if (expected.length === received.length) {
      return merge(
        expected.map((value, index) => compareAnswers(value, received[index], tolerance, `${place}[${index}]`)),
      );
    }
    return {
      largest: 0,
      faults: [`${place || 'it'}: expected ${expected.length} elements, received ${received.length}`],
    };
  }
  if (isObject(expected) && isObject(received)) {
    const prefix = place === '' ? '' : `${place}.`;
    return merge(
      Object.entries(expected).map(([key, value]) =>
        compareAnswers(value, received[key], tolerance, `${prefix}${key}`),
      ),
    );
  }
  if (expected === received) return { largest: 0, faults: [] };
  const fault = `${place || 'it'}: expected ${JSON.stringify(expected)}, received ${JSON.stringify(received)}`;
  return { largest: 0, faults: [fault] };
}

function merge(differences: readonly Difference[]): Difference {
  return {
    largest: differences.reduce((most, { largest }) => Math.max(most, largest), 0),
    faults: differences.flatMap(({ faults }) => faults),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
