import { numbersAgree } from '../serving/traffic/compare-outputs.ts';

/**
 * Whether two kept answers are the same. Numbers may be apart by the tolerance unless both are whole: those are classes
 * and counts. NaN and the infinities are texts here.
 */
export function valuesAgree(a: unknown, b: unknown, tolerance: number): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    return Number.isInteger(a) && Number.isInteger(b) ? a === b : numbersAgree(a, b, tolerance);
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const others = new Map(Object.entries(b));
  const fields = Object.entries(a);
  if (fields.length !== others.size) return false;
  return fields.every(([name, value]) => others.has(name) && valuesAgree(value, others.get(name), tolerance));
}
