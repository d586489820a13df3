import type { AnyDomain } from '../domains/define-domain.ts';
import { createDigits } from '../domains/digits/digits.ts';
import { iris } from '../domains/iris/iris.ts';
import { sentiment } from '../domains/sentiment/sentiment.ts';
import { titanic } from '../domains/titanic/titanic.ts';

/** The typed faces of the shipped models. */
export function shippedDomains(): readonly AnyDomain[] {
  return [iris, titanic, createDigits(), sentiment];
}
